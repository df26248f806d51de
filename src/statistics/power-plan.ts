/** What is planned, and by what. */
import type { Answer, NonAnswer } from "./estimate.ts";
import type { SequentialBounds } from "./group-sequential.ts";

/** What is known of control before the experiment. */
export interface Baseline {
  readonly value: number;
  /** The variance of one unit's influence: the square of the estimate's standard error times its units. */
  readonly unitVariance: number;
  /** How an effect changes it. */
  readonly spread: Spread;
}

/**
 * What becomes of one unit's variance in the treated arm:
 * - `constant`: it stays, as where an effect is added to every value, or is so small that it makes no difference;
 * - `proportion`: `p (1 - p)` at the shifted share;
 * - `grows`: the effect multiplies every value (a latency that is a tenth longer), so that the standard deviation of a mean, of
 *   a quantile and of a ratio's linear form is multiplied too, each being homogeneous in the values: variance times
 *   `(shifted / value)^2`.
 */
export type Spread = "constant" | "proportion" | "grows";

export interface Plan {
  /** Two-sided for a difference, one-sided for non-inferiority. */
  readonly alpha: number;
  /** Of all units in the experiment, those of the two arms that are compared; other arms may have the rest. */
  readonly shares: { readonly control: number; readonly treated: number };
  /** Primary metrics times treated arms: each comparison is planned at alpha over this (Bonferroni, Holm's first step). */
  readonly comparisons: number;
  /** Which way is better. */
  readonly goal: "higher" | "lower";
  /** Non-inferiority: "not worse than control by this much" is to be shown, in the metric's units. Undefined: a difference. */
  readonly margin: number | undefined;
  /** The share of the variance that CUPED takes away, rho squared. */
  readonly varianceReduction: number;
  /** The share of units that the change can touch at all, in (0, 1]; the effect is that on these. */
  readonly triggerRate: number;
  /** Whether the analysis leaves out the units that the change cannot touch. The baseline is that of whom it analyses. */
  readonly analysed: "triggered" | "everybody";
  /**
   * One look at the end; the always-valid interval tuned for the planned number of analysed units; or a group-sequential
   * design at alpha over the comparisons, of two sides for a difference and one with a margin.
   */
  readonly monitoring: "fixed" | "always-valid" | SequentialBounds;
}

export type PlanAnswer<T> = Answer<T, NonAnswer | "out-of-reach">;
