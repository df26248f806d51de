import type { Metric } from "../domain/experiment.ts";
import type { AlwaysValid, AlwaysValidShare, Interval } from "../statistics/statistics.ts";

/** Which of two arms units prefer, each having had both in every list. */
export interface InterleavingReport {
  /** The arm that is compared, whose share and preference are given, and the control. */
  readonly arm: string;
  readonly versus: string;
  /** Units that were shown a drafted list. */
  readonly units: number;
  /** Lists that were drafted; pages of one list are one. */
  readonly lists: number;
  /** Answers that one arm alone made, since the other had no list: they say nothing. */
  readonly oneArmImpressions: number;
  /** Places of those lists, and those of them in which the arms would have shown different items. */
  readonly slots: number;
  readonly competitiveSlots: number;
  /** Null where no list was drafted. */
  readonly competitiveShare: number | null;
  readonly metrics: readonly PreferenceReport[];
}

/** By the credit of one metric: the outcomes on items that an arm picked in competitive places. */
export interface PreferenceReport {
  readonly metric: string;
  readonly role: Metric["role"];
  /** Where less is better, the arm with less credit is the better one; the numbers are of the credit all the same. */
  readonly goal: Metric["goal"];
  /** Units that gave `arm` more credit than `versus`, less, and as much but some. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** For one look. `share` is of the units that gave one of them more. */
  readonly sign: { readonly share: number; readonly pValue: number } | null;
  /** Mean over units with credit, in [-1, 1]: 1 where all of it went to `arm`. For one look. */
  readonly preference: (Interval & { readonly pValue: number }) | null;
  /** Holm over the sign tests of the primary metrics; null for the other roles. */
  readonly pValueAdjusted: number | null;
  /** The same at any time. */
  readonly alwaysValid: {
    readonly sign: AlwaysValidShare;
    readonly preference: AlwaysValid | null;
  } | null;
}
