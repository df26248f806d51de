import type { DesignSections } from "../designs/designs.ts";
import type { Metric } from "../domain/experiment.ts";
import type { AlwaysValid, Interval } from "../statistics/statistics.ts";
import type { InterleavingReport } from "./interleaving-report.ts";
import type { ComparisonSections, ReportSections } from "./report-sections.ts";

/**
 * What an analysis says: the JSON of `analyze --json`. Arms stand in the order of the experiment document, control
 * first in a table's analysis. A number that cannot be had is null, and a warning says why; none is ever NaN.
 */
export interface AnalysisReport extends ReportSections, DesignSections {
  /** The experiment's id, or the name of the table's file. */
  readonly experiment: string;
  /** Null for a table. */
  readonly phase: number | null;
  /** UTC, ISO 8601 with milliseconds. */
  readonly asOf: string;
  readonly alpha: number;
  /** What was randomised: `user`, or the table's unit column. */
  readonly unit: string;
  readonly arms: readonly ArmCount[];
  readonly srm: SampleRatioReport;
  readonly metrics: readonly MetricReport[];
  /** Units seen in more than one arm: in no number above. */
  readonly excludedUnits: number;
  /** Outcomes that answer no request known to the log, or an item that was not shown: in no number above. */
  readonly unmatchedOutcomes: number;
  /** Outcomes that a metric would count, had they come within the attribution window: in no number above. */
  readonly lateOutcomes: number;
  /** One sentence each. */
  readonly warnings: readonly string[];
  /** Of an experiment of kind interleave alone, which has no `metrics`. */
  readonly interleaving?: InterleavingReport | undefined;
}

/** `impressions` are the rows of a table. */
export interface ArmCount {
  readonly arm: string;
  readonly units: number;
  readonly impressions: number;
}

export interface SampleRatioReport {
  readonly expected: readonly number[];
  readonly statistic: number | null;
  readonly pValue: number | null;
  readonly ok: boolean;
}

export interface MetricReport {
  readonly metric: string;
  /** What is counted, in one sentence. */
  readonly definition?: string | undefined;
  readonly role: Metric["role"];
  readonly type: Metric["type"];
  readonly goal: Metric["goal"];
  readonly arms: readonly ArmValue[];
  /** Each arm but control against control. */
  readonly comparisons: readonly Comparison[];
}

/** `mean` is the mean, share or ratio over the arm's units. */
export interface ArmValue {
  readonly arm: string;
  readonly units: number;
  readonly mean: number | null;
  readonly standardError: number | null;
}

export interface Comparison extends ComparisonSections {
  readonly arm: string;
  readonly versus: string;
  readonly absolute: Interval | null;
  /** As a share of control's absolute value: 0.016 is +1.6 %. */
  readonly relative: Interval | null;
  readonly pValue: number | null;
  /** `pValue` by Holm over all comparisons of the primary metrics; null for the other roles. What decides is `adjusted`. */
  readonly pValueAdjusted: number | null;
  readonly method: "welch" | "delta";
  readonly cuped: CupedReport | null;
  /** Around the absolute difference. */
  readonly alwaysValid: AlwaysValid | null;
}

/** The same comparison, after the covariate took its share of the variance. */
export interface CupedReport {
  readonly covariate: string;
  readonly theta: number;
  readonly varianceReduction: number;
  readonly absolute: Interval;
  readonly relative: Interval | null;
  readonly pValue: number;
}
