/** What the statistics offer to the other rooms. Pure functions over mergeable sums; docs/statistics.md explains them. */
export { type AdjustedArms, adjustedArms } from "./adjusted.ts";
export type { Spending } from "./alpha-spending.ts";
export { type AlwaysValid, alwaysValid, alwaysValidTunedUnits } from "./always-valid.ts";
export { benjaminiHochberg } from "./benjamini-hochberg.ts";
export { covariateBalance } from "./covariate-balance.ts";
export { criticalT } from "./distributions.ts";
export { type Answer, type Estimate, estimateOfMean, estimateOfRatio, type NonAnswer } from "./estimate.ts";
export { type ExposedArm, exposureLoss } from "./exposure-loss.ts";
export { type AdjustedTest, adjustByRole, type Role, simultaneousAlpha } from "./families.ts";
export { type FiellerSet, fieller } from "./fieller.ts";
export {
  driftForPower,
  repeatedInterval,
  type SequentialBounds,
  sampleInflation,
  sequentialBounds,
} from "./group-sequential.ts";
export { heterogeneity, type SegmentEffect, trendWithinUnits } from "./heterogeneity.ts";
export { holm } from "./holm.ts";
export {
  type AlwaysValidShare,
  alwaysValidPreference,
  alwaysValidSign,
  competitiveShare,
  type InterleavingSums,
  type NoPreference,
  noInterleavingSums,
  preferenceTest,
  signTest,
} from "./interleaving.ts";
export {
  crossOf,
  type JointMoments,
  jointAmong,
  jointMomentsOf,
  marginalOf,
  noJointMoments,
} from "./joint-moments.ts";
export { type Lift, liftOf } from "./lift.ts";
export { minimumUnits, type SkewedMoments } from "./minimum-units.ts";
export type { CrossMoments } from "./moments.ts";
export { type NotWorse, notWorse, type OneSided } from "./not-worse.ts";
export { type Gain, notWorseAndBetter } from "./not-worse-and-better.ts";
export {
  type NoPolicyValue,
  offPolicy,
} from "./off-policy.ts";
export { type PostStratified, postStratified, unitDenominator } from "./post-stratification.ts";
export { power } from "./power.ts";
export type { Baseline, Plan } from "./power-plan.ts";
export { prePeriodCheck } from "./pre-period.ts";
export { evidenceAbove, proportionLow } from "./proportion-evidence.ts";
export { proportion, proportionDifference } from "./proportions.ts";
export { estimateOfQuantile, type QuantileSums } from "./quantile.ts";
export { healthAlpha, sampleRatio } from "./sample-ratio.ts";
export { days, detectableEffect, provableMargin, sampleSize } from "./sample-size.ts";
export { sequentialSampleRatio } from "./sequential-sample-ratio.ts";
export { stagewiseResult } from "./stagewise.ts";
export { strataSampleRatio } from "./strata-sample-ratio.ts";
export { dilutedEffect, type TriggeredArm } from "./trigger-dilution.ts";
export {
  type Events,
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  quantileBucket,
} from "./two-arm-evidence.ts";
export { uniformity } from "./uniformity.ts";
export { valueBuckets } from "./value-buckets.ts";
export {
  controlIsNearZero,
  type Difference,
  difference,
  type Interval,
  intervalOf,
  relativeLift,
} from "./welch.ts";
