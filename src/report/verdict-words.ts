/** The analysis' verdict with what a reader should see beside it: what stands first wherever a report is shown. It decides nothing. */
import type { AnalysisReport, Comparison, VerdictReport } from "../analysis/analysis.ts";
import { level, percent, signed } from "../domain/number-text.ts";
import { directionOf } from "./direction.ts";

export function verdictWords(report: AnalysisReport): VerdictReport {
  const { verdict } = report;
  if (verdict.kind === "unhealthy") return verdict;
  const beside = verdict.kind === "too-early" ? soFar(report) : harmed(report);
  return { ...verdict, reasons: [...verdict.reasons, ...beside] };
}

/** Of primaries, without a word that could be taken for a verdict: before its time one look's interval proves nothing. */
function soFar({ metrics }: AnalysisReport): string[] {
  return metrics
    .filter(({ role }) => role === "primary")
    .flatMap(({ metric, comparisons }) =>
      comparisons.flatMap((one) => {
        const effect = estimateWords(one);
        if (effect === null) return [];
        return [`${metric}, ${one.arm} against ${one.versus}: ${effect} so far${alwaysValidWords(one)}.`];
      }),
    );
}

function estimateWords({ relative, absolute }: Comparison): string | null {
  if (relative !== null) return percent(relative.estimate);
  return absolute === null ? null : signed(absolute.estimate);
}

function alwaysValidWords({ alwaysValid }: Comparison): string {
  if (alwaysValid === null || !Number.isFinite(alwaysValid.ciHigh - alwaysValid.ciLow)) return "";
  const { ciLow, ciHigh } = alwaysValid;
  const then =
    ciLow <= 0 && ciHigh >= 0 ? "so it may be none" : "which leaves zero out; that is no verdict yet";
  return `; however often one looks, the difference is ${signed(ciLow)} to ${signed(ciHigh)}, ${then}`;
}

/** Metrics that the verdict is not about, moving the wrong way. */
function harmed({ metrics, alpha }: AnalysisReport): string[] {
  return metrics.flatMap((metric) =>
    metric.role === "primary"
      ? []
      : metric.comparisons
          .filter((one) => directionOf(metric, one, alpha) === "worse")
          .map(
            (one) =>
              `Watch out: ${one.arm} is worse than ${one.versus} on the ${metric.role} metric ${metric.metric}: ${effectWords(one, alpha)}.`,
          ),
  );
}

function effectWords({ relative, absolute }: Comparison, alpha: number): string {
  const interval = relative ?? absolute;
  if (interval === null) return "";
  const show = relative === null ? signed : percent;
  return `${show(interval.estimate)} (${level(alpha)} interval ${show(interval.ciLow)} to ${show(interval.ciHigh)})`;
}
