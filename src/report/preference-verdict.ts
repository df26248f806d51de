import type { InterleavingReport, PreferenceReport } from "../analysis/analysis.ts";
import { level, plainPercent, probability } from "../analysis/format.ts";

/** Which arm units prefer, one line for each primary metric. */
export function preferenceVerdicts(report: InterleavingReport, alpha: number): string[] {
  if (report.units === 0) return ["Nothing can be said: no list was drafted yet."];
  const primary = report.metrics.filter(({ role }) => role === "primary");
  if (primary.length === 0) return ["The experiment has no primary metric to decide on."];
  return primary.map((metric) => verdictOf(report, metric, alpha));
}

function verdictOf({ arm, versus }: InterleavingReport, metric: PreferenceReport, alpha: number): string {
  const { sign, pValueAdjusted, goal, wins, losses } = metric;
  if (sign === null || pValueAdjusted === null)
    return `Nothing can be said of ${arm} on ${metric.metric}: see the warnings.`;
  const [more, less] = sign.share > 0.5 ? [arm, versus] : [versus, arm];
  const better = goal === "increase" ? more : less;
  const counted = `${plainPercent(Math.max(sign.share, 1 - sign.share))} of ${wins + losses} units gave ${more} more`;
  if (pValueAdjusted >= alpha)
    return `No preference shown on ${metric.metric}: ${counted}, p ${probability(pValueAdjusted)}.`;
  return (
    `${better} is preferred to ${better === arm ? versus : arm} on ${metric.metric}: ${counted}, ` +
    `p ${probability(pValueAdjusted)}, at the ${level(alpha)} level. An A/B test says how much a metric moves.`
  );
}
