/** The last step of every analysis: counts and measures in, the whole report out. */

import { counted } from "../domain/number-text.ts";
import type { Measure, Measured } from "../measurement/measurement.ts";
import { type AdjustedTest, adjustByRole, holm, sampleRatio } from "../statistics/statistics.ts";
import { type Compared, compareArms } from "./compare.ts";
import { healthOf } from "./health.ts";
import type { Horizon } from "./plan.ts";
import type { AnalysisReport, ArmCount, Comparison, MetricReport } from "./report.ts";
import type { TradeoffReport, VerdictKind } from "./report-sections.ts";
import { type Tradeoff, tradeoffOf } from "./tradeoff.ts";
import { verdictOf } from "./verdict.ts";

export interface Findings extends Measured {
  readonly experiment: string;
  readonly phase: number | null;
  readonly asOf: Date;
  readonly alpha: number;
  readonly unit: string;
  readonly arms: readonly ArmCount[];
  /** In the order of `arms`, and the place of the control in it. */
  readonly weights: readonly number[];
  readonly control: number;
  readonly horizon: Horizon;
  /** As of the plan's look, in the order of `measures`: what is decided by where it is given. */
  readonly looked?: readonly Measure[] | undefined;
  /** As the document declares them. */
  readonly costs?: readonly (number | undefined)[] | undefined;
  readonly excludedUnits: number;
  readonly unmatchedOutcomes: number;
  readonly lateOutcomes: number;
  readonly warnings: readonly string[];
}

export function assembleReport(findings: Findings): AnalysisReport {
  const { arms, control, alpha, horizon } = findings;
  const names = arms.map((arm) => arm.arm);
  const units = arms.map((arm) => arm.units);
  const ratio = sampleRatio(units, findings.weights);
  const compare = (measure: Measure): Compared => compareArms(measure, names, control, alpha, horizon);
  const compared = findings.measures.map((measure, i) => {
    const looked = findings.looked?.[i];
    return looked === undefined ? compare(measure) : decidedBy(compare(measure), compare(looked));
  });
  const warnings = [...findings.warnings];
  for (const [i, arm] of arms.entries()) {
    if (findings.weights[i] === 0 && arm.units > 0) {
      warnings.push(`Arm ${arm.arm} has ${counted(arm.units, "unit")}, but no weight: it should get none.`);
    }
  }
  if (!ratio.ok) {
    warnings.push(
      "The arms did not get the units that their weights promise (SRM): find out why before reading any metric.",
    );
  }
  // An empty arm says the same of every metric: once is enough.
  const hasUnits = arms.some((arm) => arm.units > 0);
  if (hasUnits) warnings.push(...horizon.warnings, ...compared.flatMap((one) => one.warnings));
  const srm = {
    expected: ratio.expected,
    statistic: ratio.statistic ?? null,
    pValue: ratio.pValue ?? null,
    ok: ratio.ok,
  };
  const health = healthOf({
    arms: names,
    units,
    weights: findings.weights,
    control,
    srm,
    crossed: findings.excludedUnits,
    ...findings.strata,
    pasts: findings.pasts,
    skewed: findings.skewed.map((one) => {
      const measure = findings.measures.find(({ metric }) => metric === one.metric);
      return { ...one, decides: measure?.role !== "secondary", isShare: measure?.type === "proportion" };
    }),
    exposed: findings.exposed,
  });
  const adjusted = adjustedTests(compared);
  const judged = compared.flatMap(({ metric, decisions }, i) =>
    metric.comparisons.map(({ arm, versus }, j) => ({
      metric,
      arm,
      versus,
      decision: decisions[j] as (typeof decisions)[number],
      adjusted: adjusted[i]?.[j] as AdjustedTest,
    })),
  );
  const tradeoff = tradeoffOf({
    ...findings,
    measures: findings.looked ?? findings.measures,
    arms: names,
    costs: findings.costs ?? [],
  });
  const verdict = verdictOf(judged, health, horizon, {
    alpha,
    excludedUnits: findings.excludedUnits,
    statements: tradeoff?.statements ?? [],
  });
  return {
    experiment: findings.experiment,
    phase: findings.phase,
    asOf: findings.asOf.toISOString(),
    alpha,
    unit: findings.unit,
    arms,
    srm,
    verdict,
    health,
    plan: horizon.report,
    ...(tradeoff !== undefined && { tradeoff: toldTradeoff(tradeoff, verdict.kind) }),
    metrics: adjustPrimary(compared.map(({ metric }, i) => withAdjusted(metric, adjusted[i] ?? []))),
    excludedUnits: findings.excludedUnits,
    unmatchedOutcomes: findings.unmatchedOutcomes,
    lateOutcomes: findings.lateOutcomes,
    warnings,
  };
}

/** The numbers of all data, with the decisions of the look's. */
function decidedBy(now: Compared, look: Compared): Compared {
  const comparisons = now.metric.comparisons.map((comparison, i) => {
    const { sequential, notWorse, minimumEffect } = look.metric.comparisons[i] as Comparison;
    return {
      ...comparison,
      ...(sequential !== undefined && { sequential }),
      ...(notWorse !== undefined && { notWorse }),
      ...(minimumEffect !== undefined && { minimumEffect }),
    };
  });
  return { ...now, metric: { ...now.metric, comparisons }, decisions: look.decisions };
}

/** Without a verdict on anything there is none on this. */
function toldTradeoff({ report, statements }: Tradeoff, kind: VerdictKind): TradeoffReport {
  if (kind === "unhealthy" || kind === "too-early" || statements.length === 0) return report;
  return {
    ...report,
    verdict: statements.map(({ sentence }) => sentence).join(" "),
    statements: statements.map(({ sentence: _, gained: __, ...statement }) => statement),
  };
}

/** What decides each comparison, adjusted within its role's family: by metric, then by comparison. */
function adjustedTests(compared: readonly Compared[]): AdjustedTest[][] {
  const tests = compared.flatMap(({ metric, decisions }) =>
    decisions.map(({ pValue }) => ({ role: metric.role, pValue })),
  );
  const adjusted = adjustByRole(tests).values();
  return compared.map(({ decisions }) =>
    decisions.map(() => adjusted.next().value ?? { pValue: undefined, by: "none" }),
  );
}

const methods = { holm: "holm", "benjamini-hochberg": "bh", none: "none" } as const;

function withAdjusted(metric: MetricReport, adjusted: readonly AdjustedTest[]): MetricReport {
  const comparisons = metric.comparisons.map((comparison, i) => {
    const test = adjusted[i];
    if (test === undefined) return comparison;
    return { ...comparison, adjusted: { pValue: test.pValue ?? null, method: methods[test.by] } };
  });
  return { ...metric, comparisons };
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
