import type { FiellerSet, Interval, SequentialBounds } from "../statistics/statistics.ts";

/** What a report says besides its comparisons. A number that cannot be had is null; none is ever NaN. */
export interface ReportSections {
  readonly verdict: VerdictReport;
  readonly health: HealthReport;
  readonly plan: PlanReport;
  /** Where there is a primary metric, and latency or cost to trade it for. */
  readonly tradeoff?: TradeoffReport | undefined;
}

/** `not-worse`: a distilled ranker or a guardrail kept its margin; `too-early`: a fixed plan that has not ended. */
export type VerdictKind = "better" | "worse" | "not-worse" | "open" | "unhealthy" | "too-early";

export interface VerdictReport {
  readonly kind: VerdictKind;
  readonly sentence: string;
  readonly reasons: readonly string[];
}

export interface HealthReport {
  readonly ok: boolean;
  readonly checks: readonly HealthCheck[];
}

/** `ok` is null where there is too little to test. */
export interface HealthCheck {
  readonly id: string;
  readonly name: string;
  readonly ok: boolean | null;
  readonly pValue: number | null;
  readonly detail: string;
  readonly likelyCause: string | null;
}

/** `plannedEnd` is UTC, ISO 8601. */
export interface PlanReport {
  readonly kind: "fixed" | "always-valid" | "group-sequential";
  readonly plannedUnits: number | null;
  readonly units: number;
  readonly plannedEnd: string | null;
  readonly ended: boolean;
}

/** `quality` in the metric's unit, `latencyMs` in milliseconds, `cost` an impression in `costUnit`. */
export interface TradeoffReport {
  /** The primary metric that is the quality. */
  readonly metric: string;
  readonly points: readonly TradeoffPoint[];
  /** `as declared` or `ms of the model's time`. */
  readonly costUnit: string;
  /** Null where there is no verdict at all, and where the metric has no margin. */
  readonly verdict: string | null;
  /** The same for each arm but control. */
  readonly statements?: readonly TradeoffStatement[] | undefined;
}

/** "Quality is not worse than the margin, and latency or cost is better", as one statement, which `pValue` is of. */
export interface TradeoffStatement {
  readonly arm: string;
  readonly versus: string;
  /** `no-gain`: quality stands, nothing is shown to be better; `worse`: by more than the margin. */
  readonly verdict: "proven" | "no-gain" | "worse" | "open";
  readonly pValue: number;
  /** What was measured, in milliseconds a request; `pValue` is adjusted for their number. */
  readonly gains: readonly { readonly name: string; readonly estimate: number; readonly pValue: number }[];
}

export interface TradeoffPoint {
  readonly arm: string;
  readonly quality: number | null;
  readonly latencyMs: number | null;
  readonly cost: number | null;
}

/** What a comparison may hold besides its test. */
export interface ComparisonSections {
  /** The p-value that decides, with CUPED where there is one and by the plan's own test, within its role's family. */
  readonly adjusted: { readonly pValue: number | null; readonly method: "holm" | "bh" | "none" };
  /** The relative lift where control is near zero. */
  readonly fieller?: FiellerSet | undefined;
  readonly postStratified?: PostStratifiedReport | undefined;
  /** The group-sequential look; `bounds` are those of the plan's looks so far. */
  readonly sequential?: SequentialReport | undefined;
  /** Of a proportion with fewer than ten units in an arm that did, or that did not. */
  readonly score?: ScoreReport | undefined;
  readonly notWorse?: NotWorseReport | undefined;
  readonly minimumEffect?: MinimumEffectReport | undefined;
  /** The value above which units count as this much. */
  readonly winsorisedAt?: number | undefined;
}

export interface PostStratifiedReport {
  readonly strata: number;
  readonly varianceReduction: number;
  readonly absolute: Interval;
  readonly relative: Interval | null;
  readonly pValue: number;
}

/** Miettinen and Nurminen's difference, in the metric's unit. */
export interface ScoreReport {
  readonly absolute: Interval;
  readonly pValue: number;
}

export interface SequentialReport {
  readonly look: number;
  readonly statistic: number;
  readonly bounds: SequentialBounds;
  readonly crossed: boolean;
}

/** `bound` is the one-sided confidence bound of the difference on its bad side, `margin` what it must not pass: both in the metric's unit. */
export interface NotWorseReport {
  readonly margin: number;
  readonly ok: boolean;
  readonly bound: number;
}

/**
 * Against the smallest effect of interest, `size` as a share of control: the gain is at least as large (`reached`), it is
 * smaller (`ruled-out`), gain and harm both are (`equivalent`), or nobody knows yet (`open`).
 */
export interface MinimumEffectReport {
  readonly size: number;
  readonly state: "reached" | "equivalent" | "ruled-out" | "open";
}
