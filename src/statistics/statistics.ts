/** What the statistics offer to the other rooms. Pure functions over mergeable sums; docs/statistics.md explains them. */
export { type AdjustedArms, type AdjustedOutcome, adjustedArms, withMissing } from "./adjusted.ts";
export { type Spending, spentAlpha } from "./alpha-spending.ts";
export {
  type AlwaysValid,
  type AlwaysValidBound,
  type AlwaysValidQuestion,
  alwaysValid,
  alwaysValidBound,
} from "./always-valid.ts";
export { benjaminiHochberg } from "./benjamini-hochberg.ts";
export { type CovariateBalance, covariateBalance } from "./covariate-balance.ts";
export { cuped } from "./cuped.ts";
export { criticalT } from "./distributions.ts";
export { type Answer, type Estimate, estimateOfMean, estimateOfRatio, type NonAnswer } from "./estimate.ts";
export { type ExposedArm, type ExposureLoss, exposureLoss } from "./exposure-loss.ts";
export { type AdjustedTest, adjustByRole, type Role, simultaneousAlpha, type Tested } from "./families.ts";
export { type FiellerSet, fieller } from "./fieller.ts";
export {
  type Crossings,
  crossings,
  driftForPower,
  expectedFraction,
  type NoLooks,
  repeatedInterval,
  type SequentialBounds,
  type SequentialPlan,
  sampleInflation,
  sequentialBounds,
  sequentialPower,
} from "./group-sequential.ts";
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
  type AlwaysValidShare,
  alwaysValidPreference,
  alwaysValidSign,
  competitiveShare,
  type InterleavingSums,
  interleavingSums,
  mergeInterleavingSums,
  type NoPreference,
  noInterleavingSums,
  preferenceTest,
  type SignTest,
  signTest,
  type UnitCredit,
} from "./interleaving.ts";
export {
  crossOf,
  type JointMoments,
  jointMomentsOf,
  jointOf,
  marginalOf,
  mergeJointMoments,
  noJointMoments,
} from "./joint-moments.ts";
export {
  type MinimumUnits,
  mergeSkewedMoments,
  minimumUnits,
  noSkewedMoments,
  type SkewedMoments,
  skewedMomentsOf,
} from "./minimum-units.ts";
export { type CrossMoments, type Moments, marginalY, noCrossMoments } from "./moments.ts";
export { type Margin, type NotWorse, notWorse, type OneSided } from "./not-worse.ts";
export {
  type Compared,
  type Gain,
  notWorseAndBetter,
  type Statement,
  type TestedGain,
} from "./not-worse-and-better.ts";
export {
  type LoggedDecision,
  mergeOffPolicySums,
  type NoPolicyValue,
  noOffPolicySums,
  type OffPolicy,
  type OffPolicySums,
  offPolicy,
  offPolicySumsOf,
} from "./off-policy.ts";
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
export { type PrePeriodCheck, type PrePeriodMetric, prePeriodCheck } from "./pre-period.ts";
export { evidenceAbove, proportionLow } from "./proportion-evidence.ts";
export {
  type ProportionDifference,
  proportion,
  proportionDifference,
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
export { type StagewiseResult, stagewiseResult } from "./stagewise.ts";
export { type Stratum, type StratumRatio, strataSampleRatio } from "./strata-sample-ratio.ts";
export { type DilutedEffect, dilutedEffect, type TriggeredArm } from "./trigger-dilution.ts";
export {
  type Events,
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  quantileBucket,
} from "./two-arm-evidence.ts";
export { type Uniformity, uniformity } from "./uniformity.ts";
export { valueBuckets } from "./value-buckets.ts";
export { controlIsNearZero, type Difference, difference, type Interval, relativeLift } from "./welch.ts";
export {
  type BucketedMoments,
  bucketedMomentsOf,
  mergeBucketedMoments,
  pooledCap,
  winsorised,
} from "./winsorised.ts";
