/**
 * Sufficient statistics of any number of variables of the same units: an outcome, a denominator, what was known of the
 * unit before, one variable a day since the first exposure. Means and sums of products of deviations, which add up over
 * parts of the data in any order (Chan, Golub, LeVeque, 1979, eq. 2.1, for every pair of variables).
 */
import type { CrossMoments, Moments } from "./moments.ts";

/** `products` is the lower triangle by rows: of variables i >= j at `i (i + 1) / 2 + j`, as `productOf` reads it. */
export interface JointMoments {
  readonly count: number;
  readonly means: readonly number[];
  readonly products: readonly number[];
}

/** Neutral in `mergeJointMoments`. */
export function noJointMoments(variables: number): JointMoments {
  return {
    count: 0,
    means: new Array<number>(variables).fill(0),
    products: new Array<number>((variables * (variables + 1)) / 2).fill(0),
  };
}

/** One pass over rows of `variables` numbers, one row a unit (Welford). */
export function jointMomentsOf(rows: Iterable<ArrayLike<number>>, variables: number): JointMoments {
  let count = 0;
  const none = noJointMoments(variables);
  const [means, products] = [[...none.means], [...none.products]];
  const before = new Float64Array(variables);
  for (const row of rows) {
    count += 1;
    for (let i = 0; i < variables; i++) {
      before[i] = (row[i] as number) - (means[i] as number);
      means[i] = (means[i] as number) + (before[i] as number) / count;
    }
    for (let i = 0, at = 0; i < variables; i++) {
      const after = (row[i] as number) - (means[i] as number);
      for (let j = 0; j <= i; j++, at++) {
        products[at] = (products[at] as number) + after * (before[j] as number);
      }
    }
  }
  return { count, means, products };
}

/** The statistics of both sets together. Both must have the same variables. Commutative and associative. */
export function mergeJointMoments(a: JointMoments, b: JointMoments): JointMoments {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const count = a.count + b.count;
  const gaps = a.means.map((mean, i) => (b.means[i] as number) - mean);
  const shared = a.count * (b.count / count);
  const products: number[] = [];
  for (let i = 0, at = 0; i < gaps.length; i++) {
    for (let j = 0; j <= i; j++, at++) {
      const between = (gaps[i] as number) * (gaps[j] as number) * shared;
      products.push((a.products[at] as number) + (b.products[at] as number) + between);
    }
  }
  return {
    count,
    means: a.means.map((mean, i) => mean + (gaps[i] as number) * (b.count / count)),
    products,
  };
}

/** The sum over units of the product of the deviations of variables `i` and `j`: `(count - 1)` times a covariance. */
export function productOf(moments: JointMoments, i: number, j: number): number {
  const [row, column] = i < j ? [j, i] : [i, j];
  return moments.products[(row * (row + 1)) / 2 + column] as number;
}

/** The mean of one variable. */
export function meanOf(moments: JointMoments, variable: number): number {
  return moments.means[variable] as number;
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
    products: [cross.m2X, cross.cXY, cross.m2Y],
  };
}

/**
 * What each unit's `sum of weights * variables` would have had as moments: a linearised ratio, an adjusted outcome, a
 * slope over days. No second pass over the units is needed.
 */
export function momentsOfCombination(moments: JointMoments, weights: readonly number[]): Moments {
  let mean = 0;
  let m2 = 0;
  for (let i = 0, at = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    mean += weight * (moments.means[i] as number);
    for (let j = 0; j <= i; j++, at++) {
      const product = weight * (weights[j] as number) * (moments.products[at] as number);
      m2 += i === j ? product : 2 * product;
    }
  }
  return { count: moments.count, mean, m2 };
}
