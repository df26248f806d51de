import type { SkewedMoments } from "../../src/statistics/minimum-units.ts";

const noSkewedMoments: SkewedMoments = { count: 0, mean: 0, m2: 0, m3: 0 };

/** Each value merged in as a set of one. */
export function skewedMomentsOf(values: Iterable<number>): SkewedMoments {
  let all = noSkewedMoments;
  for (const value of values) all = mergeSkewedMoments(all, { count: 1, mean: value, m2: 0, m3: 0 });
  return all;
}

/** Pebay, "Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical Moments", 2008, eq. 2.1. */
function mergeSkewedMoments(a: SkewedMoments, b: SkewedMoments): SkewedMoments {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const count = a.count + b.count;
  const gap = b.mean - a.mean;
  const [ofA, ofB] = [a.count / count, b.count / count];
  return {
    count,
    mean: a.mean + gap * ofB,
    m2: a.m2 + b.m2 + gap * gap * a.count * ofB,
    m3: a.m3 + b.m3 + gap ** 3 * a.count * ofB * (ofA - ofB) + 3 * gap * (ofA * b.m2 - ofB * a.m2),
  };
}
