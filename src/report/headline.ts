import type {
  AnalysisReport,
  Comparison,
  HealthCheck,
  InterleavingReport,
  MetricReport,
  VerdictKind,
  VerdictReport,
} from "../analysis/analysis.ts";
import { count, percent, probability, signed } from "../analysis/format.ts";
import { directionOf, verdictsOf } from "./verdict.ts";

/**
 * The verdict of a report, or what its numbers allow where it has none of its own: no verdict on an unhealthy
 * experiment, none before the end of a plan of one look.
 */
export function headlineOf(report: AnalysisReport): VerdictReport {
  if (report.verdict !== undefined && report.verdict !== null) return report.verdict;
  const [sentence = "", ...reasons] = verdictsOf(report);
  if (report.interleaving !== undefined) {
    return { kind: preferredKind(report.interleaving, report.alpha), sentence, reasons };
  }
  if (report.arms.every((arm) => arm.units === 0)) return { kind: "open", sentence, reasons };
  const ill = failedChecks(report);
  if (ill.length > 0 || !report.srm.ok) {
    return {
      kind: "unhealthy",
      sentence: refusal(report),
      reasons: [...ill.map(findingOf), ...likelyCauses(ill)],
    };
  }
  const { plan } = report;
  if (plan?.kind === "fixed" && !plan.ended) {
    const planned = plan.plannedUnits === null ? "its end" : `${count(plan.plannedUnits)} units`;
    return {
      kind: "too-early",
      sentence: `Too early to decide: the plan is one look at ${planned}, and ${count(plan.units)} have come.`,
      reasons: soFar(report),
    };
  }
  return { kind: kindOf(report), sentence, reasons };
}

/** Without a word that could be taken for a verdict: what one look's interval shows before its time proves nothing. */
function soFar({ metrics }: AnalysisReport): string[] {
  return metrics
    .filter((metric) => metric.role === "primary")
    .flatMap(({ metric, comparisons }) =>
      comparisons.flatMap(({ arm, versus, absolute, relative, alwaysValid }) => {
        if (absolute === null) return [];
        const lift = relative === null ? signed(absolute.estimate) : percent(relative.estimate);
        const band =
          alwaysValid === null
            ? ""
            : `; the difference lies between ${signed(alwaysValid.ciLow)} and ${signed(alwaysValid.ciHigh)} however often one looks, ` +
              (alwaysValid.ciLow <= 0 && alwaysValid.ciHigh >= 0 ? "so it may be none" : "so there is one");
        return [`${metric}, ${arm} against ${versus}: ${lift} so far${band}.`];
      }),
    );
}

/** Those that are known to have failed; one that could not be tested has not. */
export function failedChecks(report: AnalysisReport): readonly HealthCheck[] {
  return (report.health?.checks ?? []).filter((check) => check.ok === false);
}

/** Of a failed check: what was seen, and how surely. */
export function findingOf({ name, detail, pValue }: HealthCheck): string {
  return `${name}: ${detail}${pValue === null ? "" : ` (p ${probability(pValue)})`}`;
}

/** Where to look; several checks that fail for one reason say it once. */
function likelyCauses(checks: readonly HealthCheck[]): string[] {
  const causes = checks.flatMap(({ likelyCause }) => (likelyCause === null ? [] : [likelyCause]));
  return [...new Set(causes)].map((cause) => `Likely cause: ${cause}`);
}

/** By the primary metrics' sign tests; where less is better, less credit is. */
function preferredKind({ metrics }: InterleavingReport, alpha: number): VerdictKind {
  const shown = metrics.flatMap(({ role, goal, sign, pValueAdjusted }): VerdictKind[] => {
    if (role !== "primary" || sign === null || pValueAdjusted === null || pValueAdjusted >= alpha) return [];
    return [sign.share > 0.5 === (goal === "increase") ? "better" : "worse"];
  });
  if (shown.includes("worse")) return "worse";
  return shown.includes("better") ? "better" : "open";
}

function refusal(report: AnalysisReport): string {
  const why = report.srm.ok
    ? "the experiment's health checks failed."
    : "the arms did not get the units that their weights promise.";
  return `Do not decide on these numbers: ${why}`;
}

/** Harm counts first: an arm that is better on one primary and worse on another is no winner. */
function kindOf(report: AnalysisReport): VerdictKind {
  const directions = report.metrics
    .filter((metric) => metric.role === "primary")
    .flatMap((metric) => metric.comparisons.map((one) => primaryDirection(metric, one, report.alpha)));
  if (directions.includes("worse")) return "worse";
  return directions.includes("better") ? "better" : "open";
}

function primaryDirection(metric: MetricReport, comparison: Comparison, alpha: number): VerdictKind {
  return directionOf(metric, comparison, comparison.pValueAdjusted, alpha);
}
