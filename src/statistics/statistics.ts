/** What the statistics offer to the other rooms. Pure functions over mergeable sums; docs/statistics.md explains them. */
export { type AlwaysValid, alwaysValid } from "./always-valid.ts";
export { type Adjusted, cuped } from "./cuped.ts";
export { type Answer, type Estimate, estimateOfMean, estimateOfRatio, type NonAnswer } from "./estimate.ts";
export { holm } from "./holm.ts";
export { type CrossMoments, type Moments, marginalY } from "./moments.ts";
export { type SampleRatio, sampleRatio } from "./sample-ratio.ts";
export { controlIsNearZero, type Difference, difference, type Interval, relativeLift } from "./welch.ts";
