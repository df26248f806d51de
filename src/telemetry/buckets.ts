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

/** Two good models agree on most pairs: what tells one from another is near 1. */
export const tauBuckets = [-0.5, 0, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1];

/** Of ten, each number of shared ones is a bucket. */
export const overlapBuckets = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** Scores are what a value model makes of them: sums of weighed probabilities are mostly between 0 and 10. */
export const scoreDifferenceBuckets = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
];

export const candidateBuckets = [1, 10, 25, 50, 100, 200, 400, 800, 1_200, 1_600, 2_000];
