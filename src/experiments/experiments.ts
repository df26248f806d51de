/** Who gets what: hashing, layers, targeting, assignment, ramps, validation. Pure: no I/O, no clock, no randomness. */
export { type Assigner, compileAssigner } from "./assigner.ts";
export { changedFields, describeChange, documentOf } from "./change.ts";
export { parseExperimentDocument, parseUnit } from "./document.ts";
export type { RequestFacts, TargetingAttributes } from "./request-facts.ts";
export { revise } from "./revise.ts";
export { reviseAll } from "./revise-all.ts";
export { allocate } from "./traffic.ts";
export { checkUnit } from "./unit.ts";
export { type ValidationContext, validateExperiment } from "./validate.ts";
