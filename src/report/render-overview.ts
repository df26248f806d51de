/** A report short enough that several fit one screen: health, verdict, one table of every metric. */
import Table from "cli-table3";
import type { AnalysisReport } from "../analysis/analysis.ts";
import { amount, level, percent, probability } from "../analysis/format.ts";
import { healthLine } from "./health-line.ts";
import { intervalBar, reachOf } from "./interval-bar.ts";
import { verdictsOf } from "./verdict.ts";

/** Narrower than a whole report's, since a row holds both arms. */
const barWidth = 21;

/** Plain text with Unicode lines, at most about 110 columns, ending in a newline. */
export function renderOverview(report: AnalysisReport): string {
  const comparisons = report.metrics.flatMap(({ comparisons }) => comparisons);
  const reach = reachOf(comparisons.map(({ relative }) => relative).filter((interval) => interval !== null));
  const table = new Table({
    head: [
      "metric",
      "control",
      "arm",
      "",
      "lift",
      `${level(report.alpha)} interval`,
      "p",
      reach === 0 ? "" : `${percent(-reach)} … 0 … ${percent(reach)}`,
    ],
    colAligns: ["left", "right", "left", "right", "right", "right", "right", "center"],
    style: { head: [], border: [], compact: true },
  });
  for (const metric of report.metrics) {
    const mean = new Map(metric.arms.map((arm) => [arm.arm, arm.mean]));
    for (const { arm, versus, relative, pValue } of metric.comparisons) {
      const wanted = metric.goal === "increase" ? "↑" : "↓";
      table.push([
        `${metric.metric} ${wanted}${metric.role === "primary" ? " *" : ""}`,
        amount(mean.get(versus) ?? null),
        arm,
        amount(mean.get(arm) ?? null),
        relative === null ? "–" : percent(relative.estimate),
        relative === null ? "–" : `${percent(relative.ciLow)} to ${percent(relative.ciHigh)}`,
        probability(pValue),
        relative === null ? "" : intervalBar(relative, reach, barWidth),
      ]);
    }
  }
  return [
    report.experiment,
    healthLine(report),
    ...verdictsOf(report).map((line, i) => `${i === 0 ? "Verdict  " : "         "}${line}`),
    table.toString(),
    ...report.warnings.map((warning) => `! ${warning}`),
    "",
  ].join("\n");
}
