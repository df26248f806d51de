/** The analysis' verdict, and the effects that it is about: what stands first wherever a report is shown. It decides nothing. */
import type { AnalysisReport, Comparison, MetricReport, VerdictReport } from "../analysis/analysis.ts";
import { level, percent, signed } from "../analysis/format.ts";
import { directionOf } from "./direction.ts";

/** The sentence has the effect where it is about one alone; otherwise each effect is a reason. */
export function verdictWords(report: AnalysisReport): VerdictReport {
  const verdict = report.verdict ?? unjudged(report);
  if (verdict.kind === "unhealthy") return verdict;
  const effects = effectsOf(report, verdict);
  const [only] = effects;
  const isAlone =
    verdict.kind !== "too-early" &&
    effects.length === 1 &&
    only !== undefined &&
    verdict.sentence.endsWith(` on ${only.metric.metric}.`);
  const sentence = isAlone
    ? `${verdict.sentence.slice(0, -1)}: ${effectWords(only.one, report.alpha)}.`
    : verdict.sentence;
  const told = effects.flatMap(({ metric, one }) => {
    const always = alwaysValidWords(report, one);
    if (isAlone) return always === null ? [] : [`However often one looks, ${always}.`];
    const effect = verdict.kind === "too-early" ? soFarWords(one) : effectWords(one, report.alpha);
    const rest = always === null ? "" : `; however often one looks, ${always}`;
    return [`${metric.metric}, ${one.arm} against ${one.versus}: ${effect}${rest}.`];
  });
  return { kind: verdict.kind, sentence, reasons: [...told, ...verdict.reasons, ...harmed(report)] };
}

/** A report may come without one. */
function unjudged({ arms, excludedUnits }: AnalysisReport): VerdictReport {
  const isEmpty = arms.every(({ units }) => units === 0);
  const crossed = "every unit was seen in more than one arm, so none is left to compare.";
  const nothing = excludedUnits === 0 ? "there is no data yet." : crossed;
  const sentence = isEmpty ? `Nothing can be said: ${nothing}` : "The analysis has come to no verdict.";
  return { kind: "open", sentence, reasons: [] };
}

interface Effect {
  readonly metric: MetricReport;
  readonly one: Comparison;
}

/** Of primaries with a difference; of many only those of the arm that the sentence is about, the table has all. */
function effectsOf({ metrics }: AnalysisReport, { sentence }: VerdictReport): Effect[] {
  const all = metrics
    .filter(({ role }) => role === "primary")
    .flatMap((metric) =>
      metric.comparisons.filter(({ absolute }) => absolute !== null).map((one) => ({ metric, one })),
    );
  return all.length <= effectsMax ? all : all.filter(({ one }) => sentence.startsWith(`${one.arm} `));
}

const effectsMax = 3;

function effectWords({ relative, absolute }: Comparison, alpha: number): string {
  const interval = relative ?? absolute;
  if (interval === null) return "";
  const show = relative === null ? signed : percent;
  return `${show(interval.estimate)} (${level(alpha)} interval ${show(interval.ciLow)} to ${show(interval.ciHigh)})`;
}

/** Before its time one look's interval proves nothing. */
function soFarWords({ relative, absolute }: Comparison): string {
  if (relative !== null) return `${percent(relative.estimate)} so far`;
  return absolute === null ? "" : `${signed(absolute.estimate)} so far`;
}

/** Null where the plan lets nobody look early, and nobody does. */
function alwaysValidWords({ plan, verdict }: AnalysisReport, { alwaysValid }: Comparison): string | null {
  const isWatched = plan?.kind === "always-valid" || verdict?.kind === "too-early";
  if (!isWatched || alwaysValid === null) return null;
  const { ciLow, ciHigh } = alwaysValid;
  if (!Number.isFinite(ciLow) || !Number.isFinite(ciHigh)) return null;
  const then = ciLow <= 0 && ciHigh >= 0 ? "so it may be none" : "so there is one";
  return `the difference is ${signed(ciLow)} to ${signed(ciHigh)}, ${then}`;
}

/** Metrics that the verdict is not about, moving the wrong way. */
function harmed({ metrics, alpha, verdict }: AnalysisReport): string[] {
  if (verdict?.kind === "too-early") return [];
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
