/**
 * Buckets that grow with the value, so that counts in them add up over any parts of the data and still place a value of
 * any size to within half a percent: the logarithmic mapping of DDSketch (Masson, Rim, Lee, "DDSketch: A Fast and
 * Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019, section 2.1), on both sides of zero.
 */

/** An edge over the one before it: no value is further than half a percent from the middle of its bucket. */
const growth = 1.01;
const logGrowth = Math.log(growth);

/** Values nearer to zero than this are zero: no outcome is measured so finely. */
const smallest = 1e-12;
/** So that the bucket of `smallest` is number 1. */
const offset = 1 - Math.ceil(Math.log(smallest) / logGrowth);

/** Ascending with the value; 0 holds zero, negative numbers the negative values. `value` is finite. */
export function bucketOf(value: number): number {
  const size = Math.abs(value);
  if (size < smallest) return 0;
  const bucket = Math.max(1, Math.ceil(Math.log(size) / logGrowth) + offset);
  return value > 0 ? bucket : -bucket;
}

/** Between which values a bucket lies. */
export function bucketEdges(bucket: number): readonly [low: number, high: number] {
  if (bucket === 0) return [0, 0];
  const size = Math.abs(bucket);
  const [inner, outer] = [Math.exp((size - 1 - offset) * logGrowth), Math.exp((size - offset) * logGrowth)];
  return bucket > 0 ? [inner, outer] : [-outer, -inner];
}

/** The mapping's numbers, for whoever counts in these buckets where the values are: `ceil(ln(size) / logGrowth) + offset`. */
export const valueBuckets = { logGrowth, smallest, offset } as const;
