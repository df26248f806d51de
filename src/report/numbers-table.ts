/** The one table of a terminal's report: a row a metric and arm, with its lift as a bar. */
import Table from "cli-table3";
import type { AnalysisReport, Comparison, MetricReport } from "../analysis/analysis.ts";
import { amount, level, percent, probability, shortened, signed } from "../domain/number-text.ts";
import { intervalBar, reachOf } from "./interval-bar.ts";

/** Names of any length would push the bars off the screen. */
const metricMax = 18;
const armMax = 12;
const barWidth = 21;

/** Lifts share one scale, so that their bars can be compared; a difference has no bar. */
export function numbersTable(report: AnalysisReport): string {
  const lifts = report.metrics.flatMap((metric) => metric.comparisons.flatMap((one) => one.relative ?? []));
  const reach = reachOf(lifts);
  const table = new Table({
    head: [
      "metric",
      "control",
      "arm",
      "",
      "lift",
      `${level(report.alpha)} interval`,
      "adj. p",
      reach === 0 ? "" : `${percent(-reach)} … 0 … ${percent(reach)}`,
    ],
    colAligns: ["left", "right", "left", "right", "right", "right", "right", "center"],
    style: { head: [], border: [], compact: true },
  });
  for (const metric of report.metrics) {
    for (const one of metric.comparisons) table.push(rowOf(metric, one, reach));
  }
  return table.toString();
}

function rowOf(metric: MetricReport, one: Comparison, reach: number): string[] {
  const mean = new Map(metric.arms.map(({ arm, mean }) => [arm, mean]));
  const show = one.relative === null ? signed : percent;
  const interval = one.relative ?? one.absolute;
  const wanted = metric.goal === "increase" ? "↑" : "↓";
  return [
    `${shortened(metric.metric, metricMax)} ${wanted}${marks[metric.role]}`,
    amount(mean.get(one.versus) ?? null),
    shortened(one.arm, armMax),
    amount(mean.get(one.arm) ?? null),
    interval === null ? "–" : `${show(interval.estimate)}${one.relative === null ? " Δ" : ""}`,
    interval === null ? "–" : `${show(interval.ciLow)} to ${show(interval.ciHigh)}`,
    // What is decided by; a page has the test's own as well.
    probability(one.adjusted.pValue),
    one.relative === null ? "" : intervalBar(one.relative, reach, barWidth),
  ];
}

const marks: Record<MetricReport["role"], string> = { primary: " *", secondary: "", guardrail: " !" };

/** What the table's signs mean, of those that it has. */
export function legendOf({ metrics }: AnalysisReport): string {
  const roles = new Set(metrics.map(({ role }) => role));
  const isDifference = ({ relative, absolute }: Comparison) => relative === null && absolute !== null;
  const parts = [
    ...(roles.has("primary") ? ["* primary"] : []),
    ...(roles.has("guardrail") ? ["! guardrail"] : []),
    "↑ more is better",
    "↓ less is better",
    ...(metrics.some(({ comparisons }) => comparisons.some(isDifference))
      ? ["Δ difference, no lift can be had"]
      : []),
  ];
  return `  ${parts.join(" · ")}`;
}
