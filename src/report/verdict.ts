/** What the numbers allow one to say, in one line each: the first thing that a reader looks for. */

import type { AnalysisReport, Comparison, MetricReport } from "../analysis/analysis.ts";
import { level, percent, probability, signed } from "../analysis/format.ts";
import { preferenceVerdicts } from "./preference-verdict.ts";

export function verdictsOf(report: AnalysisReport): string[] {
  if (report.interleaving !== undefined) return preferenceVerdicts(report.interleaving, report.alpha);
  if (report.arms.every((arm) => arm.units === 0)) {
    return [
      report.excludedUnits === 0
        ? "Nothing can be said: there is no data yet."
        : "Nothing can be said: every unit was seen in more than one arm, so none is left to compare.",
    ];
  }
  if (!report.srm.ok) {
    return ["Do not decide on these numbers: the arms did not get the units that their weights promise."];
  }
  const primary = report.metrics.filter((metric) => metric.role === "primary");
  const lines = primary.flatMap((metric) =>
    metric.comparisons.map((comparison) => primaryVerdict(metric, comparison, report.alpha)),
  );
  const watched = report.metrics.filter((metric) => metric.role !== "primary");
  const harmed = watched.flatMap((metric) =>
    metric.comparisons
      .filter((comparison) => directionOf(metric, comparison, comparison.pValue, report.alpha) === "worse")
      .map(
        (comparison) =>
          `Watch out: ${comparison.arm} is worse than ${comparison.versus} on the ${metric.role} metric ` +
          `${metric.metric}: ${effect(comparison, report.alpha)}.`,
      ),
  );
  return lines.length === 0
    ? ["The experiment has no primary metric to decide on.", ...harmed]
    : [...lines, ...harmed];
}

function primaryVerdict(metric: MetricReport, comparison: Comparison, alpha: number): string {
  const { arm, versus, pValueAdjusted } = comparison;
  if (comparison.absolute === null)
    return `Nothing can be said of ${arm} on ${metric.metric}: see the warnings.`;
  const direction = directionOf(metric, comparison, pValueAdjusted, alpha);
  if (direction !== "open") {
    return `${arm} is ${direction} than ${versus} on ${metric.metric}: ${effect(comparison, alpha)}.`;
  }
  const shown = `No difference shown between ${arm} and ${versus} on ${metric.metric}: ${effect(comparison, alpha)}`;
  const alone = comparison.pValue !== null && comparison.pValue < alpha;
  if (!alone) return `${shown}, p ${probability(pValueAdjusted)}.`;
  return `${shown}; the interval alone leaves zero out, but not after Holm's adjustment, p ${probability(pValueAdjusted)}.`;
}

/** `open` where no difference is shown at `alpha`. */
export function directionOf(
  metric: MetricReport,
  comparison: Comparison,
  pValue: number | null,
  alpha: number,
): "better" | "worse" | "open" {
  if (comparison.absolute === null || pValue === null || pValue >= alpha) return "open";
  const rises = comparison.absolute.estimate > 0;
  return rises === (metric.goal === "increase") ? "better" : "worse";
}

function effect({ relative, absolute }: Comparison, alpha: number): string {
  const interval = relative ?? absolute;
  if (interval === null) return "";
  const show = relative === null ? signed : percent;
  return `${show(interval.estimate)} (${level(alpha)} interval ${show(interval.ciLow)} to ${show(interval.ciHigh)})`;
}
