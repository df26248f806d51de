/** A report short enough that several fit one screen: verdict, health, one table of every metric. */
import type { AnalysisReport } from "../analysis/analysis.ts";
import { numbersTable } from "./numbers-table.ts";
import { readable } from "./readable.ts";
import { headLines } from "./render-head.ts";

/** Plain text with Unicode lines, at most about 120 columns, ending in a newline. */
export function renderOverview(made: AnalysisReport): string {
  const report = readable(made);
  return [
    report.experiment,
    ...headLines(report),
    ...(report.metrics.length === 0 ? [] : [numbersTable(report)]),
    ...report.warnings.map((warning) => `! ${warning}`),
    "",
  ].join("\n");
}
