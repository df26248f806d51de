/** Running experiments looked after: guardrails judged and acted on, ramps taken step by step. */
export type { LatestFigures } from "./guarded-experiment.ts";
export { Guardian } from "./guardian.ts";
