/**
 * Why a flag has its value, in OpenFeature's words. SPLIT: the hash gave the arm, and it counts in the analysis.
 * TARGETING_MATCH: an override forces it, and it does not count. DEFAULT: the unit is not in the experiment. DISABLED:
 * the experiment does not run. The last two have no value: the application's own default holds.
 */
export type FlagReason = "SPLIT" | "TARGETING_MATCH" | "DEFAULT" | "DISABLED";

/** An experiment as a flag: the variant is the arm, and so is the value. */
export interface FlagEvaluation {
  /** The experiment's id. */
  readonly key: string;
  readonly reason: FlagReason;
  /** The arm's id; undefined where the unit gets none. */
  readonly variant: string | undefined;
  readonly metadata: Readonly<Record<string, string | number>>;
}
