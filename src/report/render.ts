/** The report for a terminal, to be read in ten seconds: verdict, health, one table with bars; then what stands behind. */
import Table from "cli-table3";
import type { AnalysisReport, Comparison, MetricReport } from "../analysis/analysis.ts";
import { amount, count, level, percent, probability, shortened, signed } from "../analysis/format.ts";
import { detailsOf } from "./comparison-details.ts";
import { failedChecks, findingOf, headlineOf } from "./headline.ts";
import { healthLine } from "./health-line.ts";
import { intervalBar, reachOf } from "./interval-bar.ts";
import { designLines } from "./render-designs.ts";

const barWidth = 21;

/** Plain text with Unicode lines, the table at most about 120 columns, ending in a newline. */
export function renderReport(report: AnalysisReport): string {
  const phase = report.phase === null ? "" : ` · phase ${report.phase}`;
  const { sentence, reasons } = headlineOf(report);
  const findings = failedChecks(report).map(findingOf);
  const details = report.metrics.flatMap((metric) =>
    metric.comparisons.flatMap((one) => behind(metric, one)),
  );
  return [
    `${report.experiment}${phase} · unit ${report.unit} · as of ${report.asOf}`,
    "",
    ...[sentence, ...reasons.filter((reason) => !findings.includes(reason))].map(
      (line, i) => `${i === 0 ? "Verdict  " : "         "}${line}`,
    ),
    ...(report.interleaving === undefined ? [healthLine(report)] : []),
    ...checkLines(report),
    ...planLines(report),
    "",
    ...(report.metrics.length === 0 ? [] : [numbersTable(report), ...details, ""]),
    ...designLines(report).flatMap((lines) => [...lines, ""]),
    ...report.warnings.map((warning) => `! ${warning}`),
    ...(report.warnings.length > 0 ? [""] : []),
    `The ${level(report.alpha)} intervals and p-values hold for one look, at the planned end of the experiment.`,
    "Who looks earlier or more often reads the always-valid intervals, which are wider for it.",
    "",
  ].join("\n");
}

/** How many checks passed, and each that did not. */
function checkLines(report: AnalysisReport): string[] {
  const checks = report.health?.checks ?? [];
  if (checks.length === 0) return [];
  const failed = failedChecks(report);
  const untested = checks.filter((check) => check.ok === null).length;
  const passed = `${checks.length - failed.length - untested} of ${checks.length} checks passed`;
  const rest = untested === 0 ? "" : `, ${untested} not testable`;
  return [`         ${passed}${rest}`, ...failed.map((check) => `         ✘ ${findingOf(check)}`)];
}

function planLines({ plan }: AnalysisReport): string[] {
  if (plan === undefined || plan === null) return [];
  const name = {
    fixed: "one look at the planned end",
    "always-valid": "always valid",
    "group-sequential": "group-sequential",
  }[plan.kind];
  const of = plan.plannedUnits === null ? "" : ` of ${count(plan.plannedUnits)}`;
  const end = plan.plannedEnd === null ? "" : `, until ${plan.plannedEnd.slice(0, 10)}`;
  return [`Plan     ${name}: ${count(plan.units)}${of} units${end}${plan.ended ? ", ended" : ""}`];
}

/** One row a metric and arm. Lifts share one scale, so that their bars can be compared; a difference has no bar. */
function numbersTable(report: AnalysisReport): string {
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
      "p (adj.)",
      reach === 0 ? "" : `${percent(-reach)} … 0 … ${percent(reach)}`,
    ],
    colAligns: ["left", "right", "left", "right", "right", "right", "right", "center"],
    style: { head: [], border: [], compact: true },
  });
  for (const metric of report.metrics) {
    for (const one of metric.comparisons) table.push(rowOf(metric, one, reach));
  }
  return [table.toString(), ...legend(report.metrics)].join("\n");
}

function rowOf(metric: MetricReport, one: Comparison, reach: number): string[] {
  const mean = new Map(metric.arms.map(({ arm, mean }) => [arm, mean]));
  const show = one.relative === null ? signed : percent;
  const interval = one.relative ?? one.absolute;
  const wanted = metric.goal === "increase" ? "↑" : "↓";
  return [
    `${shortened(metric.metric, nameMax)} ${wanted}${marks[metric.role]}`,
    amount(mean.get(one.versus) ?? null),
    shortened(one.arm, nameMax),
    amount(mean.get(one.arm) ?? null),
    interval === null ? "–" : `${show(interval.estimate)}${one.relative === null ? " Δ" : ""}`,
    interval === null ? "–" : `${show(interval.ciLow)} to ${show(interval.ciHigh)}`,
    pValues(one),
    one.relative === null ? "" : intervalBar(one.relative, reach, barWidth),
  ];
}

const marks: Record<MetricReport["role"], string> = { primary: " *", secondary: "", guardrail: " !" };

function legend(metrics: readonly MetricReport[]): string[] {
  const roles = new Set(metrics.map(({ role }) => role));
  const absolute = metrics.some(({ comparisons }) =>
    comparisons.some((one) => one.relative === null && one.absolute !== null),
  );
  const parts = [
    ...(roles.has("primary") ? ["* primary"] : []),
    ...(roles.has("guardrail") ? ["! guardrail"] : []),
    "↑ more is better",
    "↓ less is better",
    ...(absolute ? ["Δ difference, no lift can be had"] : []),
  ];
  return [`  ${parts.join(" · ")}`, ""];
}

/** Where an adjustment changed the p-value, both. */
function pValues({ pValue, pValueAdjusted, adjusted }: Comparison): string {
  const other = adjusted?.pValue ?? pValueAdjusted;
  if (other === null || other === pValue) return probability(pValue);
  return `${probability(pValue)} (${probability(other)})`;
}

function behind({ metric }: MetricReport, one: Comparison): string[] {
  const what = `  ${metric}, ${one.arm}`;
  const { alwaysValid } = one;
  const always =
    alwaysValid === null
      ? []
      : [
          `always valid: difference ${signed(alwaysValid.ciLow)} to ${signed(alwaysValid.ciHigh)}, p ${probability(alwaysValid.pValue)}`,
        ];
  return [...always, ...detailsOf(one)].map((line) => `${what}, ${line}`);
}

/** A name of any length would push the bars off the screen. */
const nameMax = 20;
