/**
 * Sufficient statistics of any number of variables of the same units: an outcome, a denominator, what was known of the
 * unit before, one variable a day since the first exposure. Means and sums of products of deviations, which add up over
 * parts of the data in any order (Chan, Golub, LeVeque, 1979, eq. 2.1, for every pair of variables).
 */
import type { CrossMoments, Moments } from "./moments.ts";

/** `products[i][j]` is the sum over units of the products of the deviations of variables i and j from their means. */
export interface JointMoments {
  readonly count: number;
  readonly means: readonly number[];
  readonly products: readonly (readonly number[])[];
}

/** Neutral in `mergeJointMoments`. */
export function noJointMoments(variables: number): JointMoments {
  const zeros = (): number[] => new Array<number>(variables).fill(0);
  return { count: 0, means: zeros(), products: zeros().map(zeros) };
}

/** One pass over rows of `variables` numbers, one row a unit (Welford). */
export function jointMomentsOf(rows: Iterable<ArrayLike<number>>, variables: number): JointMoments {
  let count = 0;
  const none = noJointMoments(variables);
  const means = [...none.means];
  const products = none.products.map((line) => [...line]);
  const before = new Float64Array(variables);
  for (const row of rows) {
    count += 1;
    for (let i = 0; i < variables; i++) {
      before[i] = (row[i] as number) - (means[i] as number);
      means[i] = (means[i] as number) + (before[i] as number) / count;
    }
    for (let i = 0; i < variables; i++) {
      const after = (row[i] as number) - (means[i] as number);
      const line = products[i] as number[];
      for (let j = 0; j <= i; j++) line[j] = (line[j] as number) + after * (before[j] as number);
    }
  }
  return { count, means, products: mirrored(products) };
}

/** The lower triangle on both sides of the diagonal. */
function mirrored(lower: readonly (readonly number[])[]): number[][] {
  return lower.map((line, i) => line.map((_, j) => lower[Math.max(i, j)]?.[Math.min(i, j)] as number));
}

/** The statistics of both sets together. Both must have the same variables. Commutative and associative. */
export function mergeJointMoments(a: JointMoments, b: JointMoments): JointMoments {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const count = a.count + b.count;
  const gaps = a.means.map((mean, i) => (b.means[i] as number) - mean);
  const shared = a.count * (b.count / count);
  return {
    count,
    means: a.means.map((mean, i) => mean + (gaps[i] as number) * (b.count / count)),
    products: a.products.map((line, i) =>
      line.map((product, j) => {
        const between = (gaps[i] as number) * (gaps[j] as number) * shared;
        return product + productOf(b, i, j) + between;
      }),
    ),
  };
}

/** `(count - 1)` times the covariance of variables `i` and `j`. */
export function productOf(moments: JointMoments, i: number, j: number): number {
  return moments.products[i]?.[j] as number;
}

/** The mean of one variable. */
export function meanOf(moments: JointMoments, variable: number): number {
  return moments.means[variable] as number;
}

/** Of some of the variables, in this order. */
export function jointAmong(moments: JointMoments, variables: readonly number[]): JointMoments {
  return {
    count: moments.count,
    means: variables.map((i) => meanOf(moments, i)),
    products: variables.map((i) => variables.map((j) => productOf(moments, i, j))),
  };
}

/** One variable alone. */
export function marginalOf(moments: JointMoments, variable: number): Moments {
  return {
    count: moments.count,
    mean: meanOf(moments, variable),
    m2: productOf(moments, variable, variable),
  };
}

/** Two variables, `x` the denominator of a ratio or a covariate. */
export function crossOf(moments: JointMoments, x: number, y: number): CrossMoments {
  return {
    count: moments.count,
    meanX: meanOf(moments, x),
    meanY: meanOf(moments, y),
    m2X: productOf(moments, x, x),
    m2Y: productOf(moments, y, y),
    cXY: productOf(moments, x, y),
  };
}

/** The same statistics with `x` as variable 0 and `y` as variable 1. */
export function jointOf(cross: CrossMoments): JointMoments {
  return {
    count: cross.count,
    means: [cross.meanX, cross.meanY],
    products: [
      [cross.m2X, cross.cXY],
      [cross.cXY, cross.m2Y],
    ],
  };
}

/**
 * What each unit's `sum of weights * variables` would have had as moments: a linearised ratio, an adjusted outcome, a
 * slope over days. No second pass over the units is needed.
 */
export function momentsOfCombination(moments: JointMoments, weights: readonly number[]): Moments {
  let mean = 0;
  let m2 = 0;
  for (const [i, weight] of weights.entries()) {
    mean += weight * meanOf(moments, i);
    for (const [j, other] of weights.entries()) m2 += weight * other * productOf(moments, i, j);
  }
  return { count: moments.count, mean, m2 };
}
