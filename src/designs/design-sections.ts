/** What a report has where it was asked for, beside the arms' means. Null where a number cannot be had; a warning says why. */
import type { Interval } from "../statistics/statistics.ts";

export interface DesignSections {
  readonly segments?: readonly SegmentsReport[] | undefined;
  readonly novelty?: readonly NoveltyReport[] | undefined;
  readonly overTime?: readonly EffectOverTime[] | undefined;
  readonly distributions?: readonly Distribution[] | undefined;
  readonly trigger?: TriggerReport | undefined;
  readonly offPolicy?: OffPolicyReport | undefined;
  readonly calibration?: CalibrationReport | undefined;
}

/** An arm against control within each level of an attribute, as it was at the unit's first exposure. */
export interface SegmentsReport {
  readonly metric: string;
  readonly arm: string;
  /** `user.country`, `context.device`, `activity`. */
  readonly attribute: string;
  /** Whether the difference is the same in all levels; `pValueAdjusted` by Benjamini and Hochberg over all such tests. */
  readonly interaction: {
    readonly statistic: number;
    readonly degreesOfFreedom: number;
    readonly pValue: number;
    readonly pValueAdjusted: number;
  } | null;
  /** Those with the most units first; of bins of numbers the smallest. */
  readonly levels: readonly SegmentLevel[];
}

export interface SegmentLevel {
  /**
   * Null for units of which the attribute was not logged; `(others)` for all levels behind the largest twelve, of more than thirteen. Of numbers
   * with more levels the range of a bin, `2 to 7`, and `(no number)` for the few others.
   */
  readonly level: string | null;
  /** Of both arms. */
  readonly units: number;
  readonly absolute: Interval | null;
  readonly relative: Interval | null;
  /** How much the difference is above that of all other levels; Holm over the levels. Null where it is not tested. */
  readonly contrast: {
    readonly estimate: number;
    readonly pValue: number;
    readonly pValueAdjusted: number;
  } | null;
}

/** The difference by days since a unit's first exposure, over units that were followed on all of these days. */
export interface NoveltyReport {
  readonly metric: string;
  readonly arm: string;
  readonly units: number;
  readonly days: readonly (Interval & { readonly day: number })[];
  /** Change of the difference a day: below 0 it fades (where it was above). */
  readonly trend: { readonly estimate: number; readonly pValue: number } | null;
}

/** Cumulative: a point holds all units up to the end of its day, in the metric's own unit. `day` is an ISO 8601 date. */
export interface EffectOverTime {
  readonly metric: string;
  readonly arm: string;
  readonly points: readonly EffectPoint[];
}

export interface EffectPoint {
  readonly day: string;
  readonly units: number;
  readonly estimate: number | null;
  readonly ciLow: number | null;
  readonly ciHigh: number | null;
  readonly alwaysValidLow: number | null;
  readonly alwaysValidHigh: number | null;
}

/** Units by their value of the metric. Buckets ascend and do not overlap; the first and the last may be open: null. */
export interface Distribution {
  readonly metric: string;
  readonly arm: string;
  readonly buckets: readonly DistributionBucket[];
}

export interface DistributionBucket {
  readonly from: number | null;
  readonly to: number | null;
  readonly units: number;
}

/** Units of whose requests some were compared with what the other arm would have shown. */
export interface TriggerReport {
  readonly comparisons: readonly TriggerComparison[];
}

export interface TriggerComparison {
  readonly arm: string;
  readonly versus: string;
  readonly requests: { readonly compared: number; readonly differing: number };
  /** By arm, `versus` first: units with a compared request, and with one for which the lists differ. */
  readonly units: readonly { readonly arm: string; readonly compared: number; readonly triggered: number }[];
  /** Do the triggered units stand as the weights promise? Where not, the arm itself moves the trigger. */
  readonly srm: { readonly pValue: number | null; readonly ok: boolean };
  readonly metrics: readonly TriggeredMetric[];
}

export interface TriggeredMetric {
  readonly metric: string;
  /** Triggered units, over their differing requests alone, `versus` first; null where there are too few. */
  readonly arms: readonly {
    readonly arm: string;
    readonly units: number;
    readonly mean: number | null;
    readonly standardError: number | null;
  }[];
  /** Triggered units, over their differing requests alone. */
  readonly triggered: {
    readonly absolute: Interval;
    readonly relative: Interval | null;
    readonly pValue: number;
  } | null;
  /** What that is over all compared requests of all compared units: of all traffic where the share is 1. */
  readonly diluted: {
    readonly triggerRate: number;
    readonly absolute: Interval;
    readonly relative: Interval | null;
  } | null;
}

export interface OffPolicyReport {
  readonly policies: readonly PolicyReport[];
}

/** What a request would have earned under other weights of the arms. */
export interface PolicyReport {
  /** Each arm's probability; they add up to 1. */
  readonly weights: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly units: number;
  readonly effectiveRequests: number;
  readonly effectiveUnits: number;
  readonly largestWeight: number;
  /** Should be 1 within a few standard errors. */
  readonly meanWeight: { readonly estimate: number; readonly standardError: number } | null;
  /** Share of the policy's decisions that the log says nothing of. */
  readonly unsupportedShare: number;
  readonly metrics: readonly {
    readonly metric: string;
    readonly ips: PolicyValue | null;
    readonly snips: PolicyValue | null;
    readonly doublyRobust: PolicyValue | null;
  }[];
}

/** Of the metric, a request. */
export interface PolicyValue extends Interval {
  readonly standardError: number;
}

/**
 * The experiment's own units, randomised anew under salts that change nothing: the p-values of one look at what decides must be
 * uniform.
 */
export interface CalibrationReport {
  readonly salts: number;
  /** Units that were randomised anew, and those that the experiment has. */
  readonly units: number;
  readonly of: number;
  /** Of the metric that is furthest from uniform: p-values in each twentieth of [0, 1]. */
  readonly histogram: readonly number[];
  readonly uniformity: { readonly statistic: number; readonly pValue: number } | null;
  /** Null where no metric could be judged. */
  readonly ok: boolean | null;
  readonly metrics: readonly CalibratedMetric[];
}

export interface CalibratedMetric {
  readonly metric: string;
  readonly arm: string;
  readonly histogram: readonly number[];
  /** `pValueAdjusted` by Holm over metrics and arms. */
  readonly uniformity: {
    readonly statistic: number;
    readonly pValue: number;
    readonly pValueAdjusted: number;
  } | null;
  /** Share of p-values below alpha: alpha itself, but for chance. */
  readonly falsePositives: number | null;
  /** What was calibrated: the difference of the means, shares or ratios after CUPED, or as they are. */
  readonly test?: "cuped" | "plain" | undefined;
  /** Share of the salts under which the plan would show a difference now: at most alpha, but for chance. */
  readonly shownByPlan?: number | null | undefined;
}
