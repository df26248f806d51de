/** The last step of every analysis: counts and measures in, the whole report out. */
import { holm, sampleRatio } from "../statistics/statistics.ts";
import { compareArms } from "./compare.ts";
import type { Measure } from "./measure.ts";
import type { AnalysisReport, ArmCount, MetricReport } from "./report.ts";

export interface Findings {
  readonly experiment: string;
  readonly phase: number | null;
  readonly asOf: Date;
  readonly alpha: number;
  readonly unit: string;
  readonly arms: readonly ArmCount[];
  /** In the order of `arms`, and the place of the control in it. */
  readonly weights: readonly number[];
  readonly control: number;
  readonly measures: readonly Measure[];
  readonly excludedUnits: number;
  readonly unmatchedOutcomes: number;
  readonly lateOutcomes: number;
  readonly warnings: readonly string[];
}

export function assembleReport(findings: Findings): AnalysisReport {
  const { arms, control, alpha } = findings;
  const names = arms.map((arm) => arm.arm);
  const ratio = sampleRatio(
    arms.map((arm) => arm.units),
    findings.weights,
  );
  const compared = findings.measures.map((measure) => compareArms(measure, names, control, alpha));
  const warnings = [...findings.warnings];
  for (const [i, arm] of arms.entries()) {
    if (findings.weights[i] === 0 && arm.units > 0) {
      warnings.push(`Arm ${arm.arm} has ${arm.units} units, but no weight: it should get none.`);
    }
  }
  if (!ratio.ok) {
    warnings.push(
      "The arms did not get the units that their weights promise (SRM): find out why before reading any metric.",
    );
  }
  // An empty arm says the same of every metric: once is enough.
  if (arms.some((arm) => arm.units > 0)) warnings.push(...compared.flatMap((one) => one.warnings));
  return {
    experiment: findings.experiment,
    phase: findings.phase,
    asOf: findings.asOf.toISOString(),
    alpha,
    unit: findings.unit,
    arms,
    srm: {
      expected: ratio.expected,
      statistic: ratio.statistic ?? null,
      pValue: ratio.pValue ?? null,
      ok: ratio.ok,
    },
    metrics: adjustPrimary(compared.map((one) => one.metric)),
    excludedUnits: findings.excludedUnits,
    unmatchedOutcomes: findings.unmatchedOutcomes,
    lateOutcomes: findings.lateOutcomes,
    warnings,
  };
}

/** Holm over every comparison of a primary metric that has a p-value: they are the family a decision rests on. */
function adjustPrimary(metrics: readonly MetricReport[]): MetricReport[] {
  const family = metrics
    .filter((metric) => metric.role === "primary")
    .flatMap((metric) => metric.comparisons)
    .filter((comparison) => comparison.pValue !== null);
  const adjusted = holm(family.map((comparison) => comparison.pValue ?? 1));
  const byComparison = new Map(family.map((comparison, i) => [comparison, adjusted[i] ?? null]));
  return metrics.map((metric) => ({
    ...metric,
    comparisons: metric.comparisons.map((comparison) => ({
      ...comparison,
      pValueAdjusted: byComparison.get(comparison) ?? null,
    })),
  }));
}
