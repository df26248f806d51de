/** Who gets what: hashing, layers, targeting, assignment, ramps, validation. Pure: no I/O, no clock, no randomness. */
export { type Assigner, type AssignerOptions, compileAssigner } from "./assigner.ts";
export { breached, guardrailWriter, recovered } from "./breach.ts";
export { changedFields, documentOf, type FieldChange, fieldChanges } from "./change.ts";
export { assigns } from "./compiled-experiment.ts";
export { type Confirmation, confirmations } from "./confirmation.ts";
export type { Decided } from "./decision.ts";
export { experimentDocumentSchema, parseExperimentDocument, parseUnit } from "./document.ts";
export { durationMs, durationSchema } from "./duration.ts";
export { interleavedArms } from "./interleaved-arm.ts";
export { switched, underKillSwitch } from "./kill-switch.ts";
export {
  created,
  imported,
  type Known,
  killed,
  type Move,
  moved,
  replaced,
  revived,
  seeded,
  shipped,
} from "./life.ts";
export {
  type FilterTerm,
  type OutcomeField,
  parseMetricFilter,
} from "./metric-filter.ts";
export { type RampPlace, rampPlace, rampWriter, stepped } from "./ramp.ts";
export type { RequestFacts, TargetingAttributes } from "./request-facts.ts";
export { restored } from "./restored-default.ts";
export { revise } from "./revise.ts";
export { reviseAll } from "./revise-all.ts";
export { parseSharedMetrics, withSharedMetrics } from "./shared-metrics.ts";
export { startWarnings } from "./start-warnings.ts";
export { allocate } from "./traffic.ts";
export { checkUnit } from "./unit.ts";
export { type ValidationContext, validateExperiment } from "./validate.ts";
