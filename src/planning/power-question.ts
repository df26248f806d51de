/** What is asked before an experiment: how many units, what can be found, how sure. */
import type { Spending } from "../statistics/statistics.ts";

/** What is known of control. */
export interface PowerBaseline {
  readonly kind: "mean" | "proportion" | "ratio" | "quantile";
  readonly value: number;
  /** The spread of one unit's influence on the value: its standard deviation, of a ratio that of its linear form. */
  readonly unitSpread: number;
  /** The experiment and metric of the log that it comes from; null where it was given. */
  readonly from: { readonly experiment: string; readonly metric: string; readonly units: number } | null;
}

/** Part of the baseline, or in the metric's own unit. */
export interface Amount {
  readonly size: number;
  readonly relative: boolean;
}

export type Monitoring =
  | { readonly kind: "fixed" }
  | { readonly kind: "always-valid" }
  | {
      readonly kind: "group-sequential";
      /** Shares of the units, ascending, the last one 1. */
      readonly looks: readonly number[];
      readonly spending: Spending;
    };

export interface PowerQuestion {
  readonly baseline: PowerBaseline;
  /** How much better treated is; negative is worse, which only a margin allows. Undefined: what can be found? */
  readonly effect: Amount | undefined;
  /** Whether the effect multiplies every value, so that treated's spread grows with it. Not of a proportion. */
  readonly effectMultiplies: boolean;
  /** Of the whole experiment. Undefined: how many are needed? */
  readonly units: number | undefined;
  /** Non-inferiority: not worse than this. */
  readonly margin: Amount | undefined;
  /** Control first. */
  readonly weights: readonly number[];
  readonly goal: "increase" | "decrease";
  readonly alpha: number;
  readonly power: number;
  /** Among which alpha is shared (Bonferroni). */
  readonly comparisons: number;
  /** rho squared. */
  readonly varianceReduction: number;
  readonly triggerRate: number;
  readonly analysed: "triggered" | "everybody";
  readonly monitoring: Monitoring;
  /** New units of each day, the last repeating; empty where unknown, as of a log without a whole day. */
  readonly unitsByDay: readonly number[];
}
