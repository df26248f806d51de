/**
 * Winsorising: values above a cap count as the cap, so that a few enormous units do not drown everybody else. The cap is a
 * quantile of the units of all arms together; a cap for each arm would take a part of the effect away.
 * (Wilcox, "Introduction to Robust Estimation and Hypothesis Testing", section 2.2.2; in experiments: Kohavi, Tang, Xu,
 * "Trustworthy Online Controlled Experiments", 2020, chapter 22.)
 */
import { type Answer, answer, noAnswer } from "../../src/statistics/estimate.ts";
import {
  type JointMoments,
  jointMomentsOf,
  mergeJointMoments,
  noJointMoments,
} from "../../src/statistics/joint-moments.ts";
import { bucketEdges, bucketOf } from "../../src/statistics/value-buckets.ts";

/** The units' joint moments by the bucket of the variable to be capped, which is variable 0; buckets ascending. */
export type BucketedMoments = readonly BucketMoments[];

export interface BucketMoments {
  readonly bucket: number;
  readonly moments: JointMoments;
}

/** One row of `variables` numbers a unit. */
export function bucketedMomentsOf(rows: Iterable<ArrayLike<number>>, variables: number): BucketedMoments {
  const byBucket = new Map<number, ArrayLike<number>[]>();
  for (const row of rows) {
    const bucket = bucketOf(row[0] as number);
    const inBucket = byBucket.get(bucket);
    if (inBucket === undefined) byBucket.set(bucket, [row]);
    else inBucket.push(row);
  }
  return [...byBucket]
    .map(([bucket, inBucket]) => ({ bucket, moments: jointMomentsOf(inBucket, variables) }))
    .sort((a, b) => a.bucket - b.bucket);
}

/** Of both sets together. */
export function mergeBucketedMoments(a: BucketedMoments, b: BucketedMoments): BucketedMoments {
  const merged = new Map(a.map((one) => [one.bucket, one]));
  for (const { bucket, moments } of b) {
    const one = merged.get(bucket);
    merged.set(bucket, {
      bucket,
      moments: one === undefined ? moments : mergeJointMoments(one.moments, moments),
    });
  }
  return [...merged.values()].sort((x, y) => x.bucket - y.bucket);
}

/**
 * The upper edge of the bucket in which the pooled quantile lies: no more than `1 - quantile` of all units are above it,
 * and it is at most 1 % above the exact quantile. Given the cap, what `winsorised` returns is exact.
 */
export function pooledCap(arms: readonly BucketedMoments[], quantile: number): Answer<number> {
  const pooled = arms.reduce(mergeBucketedMoments, []);
  const units = pooled.reduce((sum, { moments }) => sum + moments.count, 0);
  if (units === 0) return noAnswer("no-units");
  let below = 0;
  for (const { bucket, moments } of pooled) {
    below += moments.count;
    if (below >= quantile * units) return answer(bucketEdges(bucket)[1]);
  }
  throw new Error("a quantile is at most 1");
}

/** The joint moments with `min(variable 0, cap)` in place of variable 0, `cap` being one of `pooledCap`'s. */
export function winsorised(arm: BucketedMoments, cap: number): JointMoments {
  const variables = arm[0]?.moments.means.length ?? 0;
  return arm
    .map(({ bucket, moments }) => (bucketEdges(bucket)[1] > cap ? capped(moments, cap) : moments))
    .reduce(mergeJointMoments, noJointMoments(variables));
}

/** A constant has no deviations, neither of its own nor with another variable. */
function capped(moments: JointMoments, cap: number): JointMoments {
  return {
    count: moments.count,
    means: [cap, ...moments.means.slice(1)],
    products: moments.products.map((line, i) => line.map((product, j) => (i === 0 || j === 0 ? 0 : product))),
  };
}
