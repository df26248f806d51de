/** The report for a terminal: health first, then the verdict, then a table a metric, then what to be careful about. */
import Table from "cli-table3";
import { amount, count, level, percent, plainPercent, probability, signed } from "./format.ts";
import { healthLine } from "./health-line.ts";
import { intervalBar, reachOf } from "./interval-bar.ts";
import { designLines } from "./render-designs.ts";
import type { AnalysisReport, Comparison, MetricReport } from "./report.ts";
import { verdictsOf } from "./verdict.ts";

/** Plain text with Unicode lines, at most about 110 columns, ending in a newline. */
export function renderReport(report: AnalysisReport): string {
  const phase = report.phase === null ? "" : ` · phase ${report.phase}`;
  return [
    `${report.experiment}${phase} · unit ${report.unit} · as of ${report.asOf}`,
    "",
    ...(report.interleaving === undefined ? [healthLine(report)] : []),
    ...verdictsOf(report).map((line, i) => `${i === 0 ? "Verdict  " : "         "}${line}`),
    "",
    ...report.metrics.flatMap((metric) => [...metricLines(metric, report.alpha), ""]),
    ...designLines(report).flatMap((lines) => [...lines, ""]),
    ...report.warnings.map((warning) => `! ${warning}`),
    ...(report.warnings.length > 0 ? [""] : []),
    `The ${level(report.alpha)} intervals and p-values hold for one look, at the planned end of the experiment.`,
    "Who looks earlier or more often reads the always-valid intervals, which are wider for it.",
    "",
  ].join("\n");
}

function metricLines(metric: MetricReport, alpha: number): string[] {
  const byArm = new Map(metric.comparisons.map((comparison) => [comparison.arm, comparison]));
  const relative = metric.comparisons.every((comparison) => comparison.relative !== null);
  const show = relative ? percent : signed;
  const intervalOf = (comparison: Comparison) => (relative ? comparison.relative : comparison.absolute);
  const reach = reachOf(metric.comparisons.map(intervalOf).filter((interval) => interval !== null));
  const table = new Table({
    head: [
      "arm",
      "units",
      metric.type,
      relative ? "lift" : "difference",
      `${level(alpha)} interval`,
      metric.role === "primary" ? "p (Holm)" : "p",
      reach === 0 ? "" : `${show(-reach)} … 0 … ${show(reach)}`,
    ],
    colAligns: ["left", "right", "right", "right", "right", "right", "center"],
    style: { head: [], border: [], compact: true },
  });
  for (const arm of metric.arms) {
    const comparison = byArm.get(arm.arm);
    const interval = comparison === undefined ? null : intervalOf(comparison);
    table.push([
      arm.arm,
      count(arm.units),
      amount(arm.mean),
      interval === null ? "" : show(interval.estimate),
      interval === null ? "" : `${show(interval.ciLow)} to ${show(interval.ciHigh)}`,
      comparison === undefined ? "" : pValues(metric, comparison),
      interval === null ? "" : intervalBar(interval, reach),
    ]);
  }
  const goal = metric.goal === "increase" ? "more is better" : "less is better";
  return [
    `${metric.metric} (${metric.role}, ${goal})`,
    table.toString(),
    ...metric.comparisons.flatMap(moreLines),
  ];
}

/** Where Holm changed the p-value, both. */
function pValues(metric: MetricReport, { pValue, pValueAdjusted }: Comparison): string {
  if (metric.role !== "primary" || pValueAdjusted === pValue) return probability(pValue);
  return `${probability(pValue)} (${probability(pValueAdjusted)})`;
}

function moreLines({ arm, alwaysValid, cuped }: Comparison): string[] {
  const lines: string[] = [];
  if (alwaysValid !== null) {
    const { ciLow, ciHigh, pValue } = alwaysValid;
    lines.push(
      `  ${arm}, always valid: difference ${signed(ciLow)} to ${signed(ciHigh)}, p ${probability(pValue)}`,
    );
  }
  if (cuped !== null) {
    const show = cuped.relative === null ? signed : percent;
    const { estimate, ciLow, ciHigh } = cuped.relative ?? cuped.absolute;
    lines.push(
      `  ${arm}, CUPED with ${cuped.covariate}: ${show(estimate)} (${show(ciLow)} to ${show(ciHigh)}), ` +
        `p ${probability(cuped.pValue)}, variance reduced by ${plainPercent(cuped.varianceReduction)}`,
    );
  }
  return lines;
}
