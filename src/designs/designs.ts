/** What the designs offer to the other rooms: questions beside the arms' means in, statements for the log and findings out. */
export type { SegmentAttribute } from "./attribute-levels.ts";
export type { DecidingTests } from "./calibration-design.ts";
export { leftOutWarnings, requestMetrics } from "./design-metrics.ts";
export { askedDesigns, type DesignQuestions, findingsOf, refuseForInterleaving } from "./design-questions.ts";
export type {
  CalibrationReport,
  DesignSections,
  Distribution,
  DistributionBucket,
  EffectOverTime,
  EffectPoint,
  NoveltyReport,
  PolicyReport,
  PolicyValue,
  SegmentsReport,
  TriggerComparison,
  TriggeredMetric,
} from "./design-sections.ts";
export {
  creditsIn,
  type Drafted,
  type DraftingArms,
  draftedIn,
  interleavingDesign,
  type MetricCredit,
} from "./interleaving-design.ts";
export type { ArmPolicy } from "./off-policy-design.ts";
export { strataDesign } from "./strata-design.ts";
