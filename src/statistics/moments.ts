/**
 * Mergeable sufficient statistics of per-unit values: whatever the analysis needs of a million units fits in three
 * numbers an arm (six with a second variable), and two halves of a data set add up to the whole.
 *
 * Sums of squared deviations are kept, never sums of squares: `sum(x^2) - n mean^2` cancels catastrophically where
 * the mean is large against the spread. Updating: Welford, Technometrics 4(3), 1962. Merging: Chan, Golub, LeVeque,
 * "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979, eq. 2.1.
 */

/** `m2` is the sum of squared deviations from `mean`. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  readonly m2: number;
}

/** Two variables of the same units: `m2X`, `m2Y` as above, `cXY` the sum of products of the two deviations. */
export interface CrossMoments {
  readonly count: number;
  readonly meanX: number;
  readonly meanY: number;
  readonly m2X: number;
  readonly m2Y: number;
  readonly cXY: number;
}

export const noMoments: Moments = { count: 0, mean: 0, m2: 0 };
export const noCrossMoments: CrossMoments = { count: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, cXY: 0 };

/** One pass over the values (Welford). */
export function momentsOf(values: Iterable<number>): Moments {
  let count = 0;
  let mean = 0;
  let m2 = 0;
  for (const value of values) {
    count += 1;
    const before = value - mean;
    mean += before / count;
    m2 += before * (value - mean);
  }
  return { count, mean, m2 };
}

/** One pass over pairs `[x, y]` (Welford, with the co-moment). */
export function crossMomentsOf(pairs: Iterable<readonly [x: number, y: number]>): CrossMoments {
  let count = 0;
  let meanX = 0;
  let meanY = 0;
  let m2X = 0;
  let m2Y = 0;
  let cXY = 0;
  for (const [x, y] of pairs) {
    count += 1;
    const beforeX = x - meanX;
    const beforeY = y - meanY;
    meanX += beforeX / count;
    meanY += beforeY / count;
    m2X += beforeX * (x - meanX);
    m2Y += beforeY * (y - meanY);
    cXY += beforeX * (y - meanY);
  }
  return { count, meanX, meanY, m2X, m2Y, cXY };
}

/** The moments of both sets together (Chan et al.). Commutative and associative, `noMoments` being neutral. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const both = mergeCrossMoments(asCross(a), asCross(b));
  return { count: both.count, mean: both.meanY, m2: both.m2Y };
}

/** The same for two variables. */
export function mergeCrossMoments(a: CrossMoments, b: CrossMoments): CrossMoments {
  const count = a.count + b.count;
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const gapX = b.meanX - a.meanX;
  const gapY = b.meanY - a.meanY;
  const shared = a.count * (b.count / count);
  return {
    count,
    meanX: a.meanX + gapX * (b.count / count),
    meanY: a.meanY + gapY * (b.count / count),
    m2X: a.m2X + b.m2X + gapX * gapX * shared,
    m2Y: a.m2Y + b.m2Y + gapY * gapY * shared,
    cXY: a.cXY + b.cXY + gapX * gapY * shared,
  };
}

function asCross(moments: Moments): CrossMoments {
  return { ...noCrossMoments, count: moments.count, meanY: moments.mean, m2Y: moments.m2 };
}
