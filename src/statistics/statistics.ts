/** What the statistics offer to the other rooms. Pure functions over mergeable sums; docs/statistics.md explains them. */
export { type AlwaysValid, alwaysValid } from "./always-valid.ts";
export { cuped } from "./cuped.ts";
export { type Answer, type Estimate, estimateOfMean, estimateOfRatio, type NonAnswer } from "./estimate.ts";
export { holm } from "./holm.ts";
export { type CrossMoments, marginalY, noCrossMoments } from "./moments.ts";
export { evidenceAbove, proportionLow } from "./proportion-evidence.ts";
export { sampleRatio } from "./sample-ratio.ts";
export { sequentialSampleRatio } from "./sequential-sample-ratio.ts";
export {
  type Events,
  evidenceOfHigherQuantile,
  evidenceOfHigherShare,
  quantileBucket,
} from "./two-arm-evidence.ts";
export { controlIsNearZero, difference, type Interval, relativeLift } from "./welch.ts";
