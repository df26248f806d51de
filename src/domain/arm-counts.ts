/** What one process answered for one arm since it was last asked. */
export interface ArmCounts {
  readonly experiment: string;
  readonly phase: number;
  readonly arm: string;
  /** Answered ones, and those that ended in an error which was not their caller's going away. */
  readonly requests: number;
  readonly errors: number;
  /** Answers without the scores of the arm's model. */
  readonly fallbacks: number;
  /** `[latencyBuckets + 1]`: answered requests by how long they took. */
  readonly latencies: Uint32Array;
}

/** Each bucket's bound is 2 % above the one before: a p99 is told to within 2 %. */
const growth = 1.02;
const firstMs = 0.1;
/** Up to 65 s: no request may take longer than 10 minutes, and what takes a minute is slow by any bound. */
export const latencyBuckets = 677;

/** The bucket of a latency: it holds those up to its bound; the last, without one, all that take longer. */
export function latencyBucket(ms: number): number {
  if (ms <= firstMs) return 0;
  return Math.min(latencyBuckets, Math.ceil(Math.log(ms / firstMs) / Math.log(growth) - 1e-9));
}

/** The upper bound of a bucket, ms. */
export function latencyBound(bucket: number): number {
  return bucket >= latencyBuckets ? Number.POSITIVE_INFINITY : firstMs * growth ** bucket;
}

/** How many buckets higher a latency lies that is `factor` times another, rounded up. */
export function latencyBucketsAbove(factor: number): number {
  return Math.ceil(Math.log(factor) / Math.log(growth) - 1e-9);
}
