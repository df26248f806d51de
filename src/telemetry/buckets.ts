/**
 * Upper bounds of histogram buckets. A rank request takes 0.3 to 20 ms, its parts less, so that the buckets are
 * dense there: a quantile read from a histogram is only as exact as the bucket it falls into.
 */
export const requestSecondsBuckets = [
  0.000_25, 0.000_5, 0.001, 0.001_5, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.016, 0.025, 0.05, 0.1, 0.25,
  0.5, 1, 2.5,
];

export const partSecondsBuckets = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064,
  0.25, 1,
];

export const candidateBuckets = [1, 10, 25, 50, 100, 200, 400, 800, 1_200, 1_600, 2_000];
