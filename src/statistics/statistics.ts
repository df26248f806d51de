/** What the statistics offer to the other rooms. Pure functions over mergeable sums; docs/statistics.md explains them. */
export { type AdjustedArms, type AdjustedOutcome, adjustedArms, withMissing } from "./adjusted.ts";
export { type AlwaysValid, alwaysValid } from "./always-valid.ts";
export { cuped } from "./cuped.ts";
export { type Answer, type Estimate, estimateOfMean, estimateOfRatio, type NonAnswer } from "./estimate.ts";
export { type FiellerSet, fieller } from "./fieller.ts";
export {
  type Contrast,
  type Heterogeneity,
  heterogeneity,
  type PlacedEffect,
  type SegmentEffect,
  trend,
  trendWithinUnits,
} from "./heterogeneity.ts";
export { holm } from "./holm.ts";
export {
  crossOf,
  type JointMoments,
  jointMomentsOf,
  marginalOf,
  mergeJointMoments,
  noJointMoments,
} from "./joint-moments.ts";
export { type CrossMoments, marginalY, noCrossMoments } from "./moments.ts";
export { type PostStratified, postStratified, unitDenominator } from "./post-stratification.ts";
export {
  type Baseline,
  baselineOf,
  baselineOfProportion,
  days,
  detectableEffect,
  type Plan,
  plainPlan,
  power,
  provableMargin,
  type SampleSize,
  sampleSize,
} from "./power.ts";
export { evidenceAbove, proportionLow } from "./proportion-evidence.ts";
export {
  type ProportionDifference,
  proportion,
  proportionDifference,
  proportionStatistic,
  type Share,
} from "./proportions.ts";
export {
  estimateOfQuantile,
  mergeQuantileSums,
  noQuantileSums,
  type QuantileSums,
  quantileSumsOf,
} from "./quantile.ts";
export { sampleRatio } from "./sample-ratio.ts";
export { sequentialSampleRatio } from "./sequential-sample-ratio.ts";
export {
  type Events,
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  quantileBucket,
} from "./two-arm-evidence.ts";
export { controlIsNearZero, difference, type Interval, relativeLift } from "./welch.ts";
export {
  type BucketedMoments,
  bucketedMomentsOf,
  mergeBucketedMoments,
  pooledCap,
  winsorised,
} from "./winsorised.ts";
