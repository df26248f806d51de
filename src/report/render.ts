/** The report for a terminal, to be read in ten seconds: verdict, health, one table with bars; then what stands behind. */
import type { AnalysisReport, Comparison, MetricReport } from "../analysis/analysis.ts";
import { level, probability, shortened, signed } from "../domain/number-text.ts";
import { detailsOf } from "./comparison-details.ts";
import { legendOf, numbersTable } from "./numbers-table.ts";
import { readable } from "./readable.ts";
import { designLines } from "./render-designs.ts";
import { headLines } from "./render-head.ts";

/** Plain text with Unicode lines, the table at most about 120 columns, ending in a newline. */
export function renderReport(made: AnalysisReport): string {
  const report = readable(made);
  const phase = report.phase === null ? "" : ` · phase ${report.phase}`;
  const details = report.metrics.flatMap((metric) =>
    metric.comparisons.flatMap((one) => behind(metric, one)),
  );
  return [
    `${report.experiment}${phase} · unit ${report.unit} · as of ${report.asOf}`,
    "",
    ...headLines(report),
    "",
    ...(report.metrics.length === 0 ? [] : [numbersTable(report), legendOf(report), "", ...details, ""]),
    ...designLines(report).flatMap((lines) => [...lines, ""]),
    ...report.warnings.map((warning) => `! ${warning}`),
    ...(report.warnings.length > 0 ? [""] : []),
    ...footing(report),
    "",
  ].join("\n");
}

/** What an interval and the p-value beside it hold for: they are not of one test. */
function footing({ alpha, metrics, plan }: AnalysisReport): string[] {
  const early = "Who looks earlier or more often reads the always-valid intervals, which are wider for it.";
  if (metrics.length === 0) {
    return [
      `The ${level(alpha)} intervals and p-values hold for one look, at the planned end of the experiment.`,
      early,
    ];
  }
  return [
    plan.kind === "group-sequential"
      ? "The verdict goes by the bound of this look, with CUPED where there is any; adj. p is that of stopping here, no proof before."
      : "The verdict goes by adj. p: of the plan's own test, with CUPED where there is any, adjusted for the number of tests.",
    `Lifts and their ${level(alpha)} intervals are without CUPED and hold for one look, at the planned end of the experiment.`,
    early,
  ];
}

function behind({ metric }: MetricReport, one: Comparison): string[] {
  const what = `  ${shortened(metric, nameMax)}, ${shortened(one.arm, nameMax)}`;
  const { alwaysValid } = one;
  const always =
    alwaysValid === null
      ? []
      : [
          `always valid: difference ${signed(alwaysValid.ciLow)} to ${signed(alwaysValid.ciHigh)}, p ${probability(alwaysValid.pValue)}`,
        ];
  return [...always, ...detailsOf(one)].map((line) => `${what}, ${line}`);
}

const nameMax = 24;
