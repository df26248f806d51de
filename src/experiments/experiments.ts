/** Who gets what: hashing, layers, targeting, assignment, ramps, validation. Pure: no I/O, no clock, no randomness. */
export { type Assigner, compileAssigner } from "./assigner.ts";
export { changedFields, describeChange, documentOf } from "./change.ts";
export { parseExperimentDocument } from "./document.ts";
export { interleavedArms } from "./interleaved-arm.ts";
export { revise } from "./revise.ts";
export { reviseAll } from "./revise-all.ts";
export type { TargetingAttributes } from "./targeting.ts";
export { allocate } from "./traffic.ts";
export { type ValidationContext, validateExperiment } from "./validate.ts";
