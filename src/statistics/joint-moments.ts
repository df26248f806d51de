/** Mergeable sufficient statistics of several variables of the same units; for one and two see moments.ts. */

/** `products[i][j]` is the sum of products of the deviations of variables i and j from their means. */
export interface JointMoments {
  readonly count: number;
  readonly means: readonly number[];
  readonly products: readonly (readonly number[])[];
}

/** Neutral in merging, of `variables` variables. */
export function noJointMoments(variables: number): JointMoments {
  const zeros = () => new Array<number>(variables).fill(0);
  return { count: 0, means: zeros(), products: zeros().map(zeros) };
}

/** One pass over rows of `variables` values, one row a unit (Welford, with co-moments). */
export function jointMomentsOf(rows: Iterable<readonly number[]>, variables: number): JointMoments {
  let count = 0;
  const means = new Array<number>(variables).fill(0);
  const products = means.map(() => new Array<number>(variables).fill(0));
  for (const row of rows) {
    count += 1;
    const before = means.map((mean, i) => (row[i] as number) - mean);
    for (const [i, gap] of before.entries()) means[i] = (means[i] as number) + gap / count;
    for (const [i, line] of products.entries()) {
      for (const j of line.keys()) {
        line[j] = (line[j] as number) + (before[i] as number) * ((row[j] as number) - (means[j] as number));
      }
    }
  }
  return { count, means, products };
}

/** The moments of both sets together (Chan, Golub, LeVeque 1979, in matrix form). Commutative and associative. */
export function mergeJointMoments(a: JointMoments, b: JointMoments): JointMoments {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const count = a.count + b.count;
  const share = b.count / count;
  const gaps = a.means.map((mean, i) => (b.means[i] as number) - mean);
  return {
    count,
    means: a.means.map((mean, i) => mean + (gaps[i] as number) * share),
    products: a.products.map((line, i) =>
      line.map(
        (product, j) =>
          product +
          (b.products[i]?.[j] as number) +
          a.count * share * (gaps[i] as number) * (gaps[j] as number),
      ),
    ),
  };
}
