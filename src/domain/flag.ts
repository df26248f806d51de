import type { DecisionReason } from "./assignment.ts";
import type { Experiment } from "./experiment.ts";

/**
 * Why a flag has its value, in OpenFeature's words. SPLIT: chance gave the arm, and it counts in the analysis.
 * TARGETING_MATCH: an override forces it, or a prerequisite of it, and it does not count. DEFAULT: the unit is not in the
 * experiment. DISABLED: the experiment does not run, or is killed. The last two have no value: the application's own
 * default holds.
 */
export type FlagReason = "SPLIT" | "TARGETING_MATCH" | "DEFAULT" | "DISABLED";

/** What stood behind an evaluation. */
export interface FlagMetadata extends Pick<Experiment, "surface" | "layer" | "phase" | "revision"> {
  /** The first gate that kept the unit out; undefined where it gets an arm. */
  readonly gate: DecisionReason | undefined;
  /** One sentence for people. */
  readonly detail: string;
  /** What was hashed, and its places; undefined where the context has none. */
  readonly unit: string | undefined;
  readonly layerBucket: number | undefined;
  readonly armBucket: number | undefined;
}

/** An experiment as a flag: the variant is the arm, and so is the value. */
export interface FlagEvaluation {
  /** The experiment's id. */
  readonly key: string;
  readonly reason: FlagReason;
  /** The arm's id; undefined where the unit gets none. */
  readonly variant: string | undefined;
  readonly metadata: FlagMetadata;
}
