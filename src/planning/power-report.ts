import type { PowerBaseline } from "./power-question.ts";

/** What `setlist power --json` prints. A number that cannot be had is null; none is ever NaN. */
export interface PowerReport {
  readonly asked: "sample-size" | "detectable-effect" | "power";
  readonly baseline: PowerBaseline;
  readonly plan: PowerPlan;
  readonly answer: PowerAnswer;
  /** Around the answer, ascending. */
  readonly curve: readonly PowerAt[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

export interface PowerPlan {
  /** Two-sided for a difference, one-sided for non-inferiority; over all comparisons. */
  readonly alpha: number;
  /** Of one comparison. */
  readonly alphaPerComparison: number;
  readonly power: number;
  readonly comparisons: number;
  /** Control first. */
  readonly shares: readonly number[];
  readonly goal: "increase" | "decrease";
  /** In the metric's unit. */
  readonly margin: number | null;
  /** Treated's spread grows with the effect. */
  readonly effectMultiplies: boolean;
  readonly varianceReduction: number;
  readonly triggerRate: number;
  readonly analysed: "triggered" | "everybody";
  readonly monitoring: PlannedMonitoring;
}

export type PlannedMonitoring =
  | { readonly kind: "fixed" | "always-valid" }
  | {
      readonly kind: "group-sequential";
      readonly spending: string;
      /** Of each look its share of the units, and the standard errors at which it stops. */
      readonly fractions: readonly number[];
      readonly bounds: readonly number[];
      /** The largest sample over that of one look. */
      readonly inflation: number;
    };

/** Each arm but control has its own size; `treated` is the smallest, for which the plan is made. */
export interface PowerAnswer {
  readonly units: number;
  readonly control: number;
  readonly treated: number;
  /** Of these two arms, those that are analysed: the N* of an always-valid interval. */
  readonly analysed: number;
  /** Treated minus control. */
  readonly effect: { readonly absolute: number; readonly relative: number | null };
  readonly power: number;
  /** Until the units have come. */
  readonly days: number | null;
}

export interface PowerAt {
  readonly units: number;
  readonly days: number | null;
  /** To find the answer's effect. */
  readonly power: number | null;
  /** What is found with the planned power; null with a margin. */
  readonly detectable: number | null;
  /** The smallest margin that is shown with the planned power, given the answer's effect; null without a margin. */
  readonly provableMargin: number | null;
}
