/** What a comparison says besides its test, a sentence each. */

import type { Comparison, NotWorseReport, ScoreReport, SequentialReport } from "../analysis/analysis.ts";
import { minimumEffectWords } from "../analysis/minimum-effect.ts";
import { amount, fixed, percent, plainPercent, probability, signed } from "../domain/number-text.ts";
import type { Interval } from "../statistics/statistics.ts";

/** A share of the variance, below which CUPED has changed nothing that a reader could see, as where units have next to no past. */
const toldFrom = 0.01;

export function detailsOf({
  cuped,
  postStratified,
  fieller,
  score,
  sequential,
  notWorse,
  minimumEffect,
  winsorisedAt,
}: Comparison): string[] {
  const lines: string[] = [];
  if (notWorse) lines.push(notWorseWords(notWorse));
  if (minimumEffect) lines.push(minimumEffectWords(minimumEffect));
  if (cuped !== null && Math.abs(cuped.varianceReduction) >= toldFrom) {
    lines.push(`CUPED with ${cuped.covariate}: ${reduced(cuped)}`);
  }
  if (postStratified) {
    lines.push(`post-stratified into ${postStratified.strata} strata: ${reduced(postStratified)}`);
  }
  if (score) lines.push(`few events, by the score method: ${scoreWords(score)}`);
  if (fieller) lines.push(`Fieller's set of the lift, control being near zero: ${fiellerWords(fieller)}`);
  if (sequential) lines.push(sequentialWords(sequential));
  if (winsorisedAt !== undefined) lines.push(`winsorised: larger values count as ${amount(winsorisedAt)}`);
  return lines;
}

interface Reduced {
  readonly absolute: Interval;
  readonly relative: Interval | null;
  readonly pValue: number;
  readonly varianceReduction: number;
}

function reduced({ absolute, relative, pValue, varianceReduction }: Reduced): string {
  const show = relative === null ? signed : percent;
  const { estimate, ciLow, ciHigh } = relative ?? absolute;
  return (
    `${show(estimate)} (${show(ciLow)} to ${show(ciHigh)}), p ${probability(pValue)}, ` +
    `variance ${varianceReduction < 0 ? "raised" : "reduced"} by ${plainPercent(Math.abs(varianceReduction))}`
  );
}

function scoreWords({ absolute: { estimate, ciLow, ciHigh }, pValue }: ScoreReport): string {
  return `difference ${signed(estimate)} (${signed(ciLow)} to ${signed(ciHigh)}), p ${probability(pValue)}`;
}

function notWorseWords({ margin, ok, bound }: NotWorseReport): string {
  const state = ok ? "not worse than its margin" : "NOT proven to keep its margin";
  return `${state}: worse by at most ${amount(Math.abs(margin))} is allowed, the difference's bound is ${signed(bound)}`;
}

function fiellerWords(set: NonNullable<Comparison["fieller"]>): string {
  if (set.kind === "everything") return "no lift is ruled out";
  const span = `${percent(set.ciLow)} to ${percent(set.ciHigh)}`;
  return set.kind === "bounded" ? span : `all but ${span}`;
}

function sequentialWords({ look, statistic, bounds, crossed }: SequentialReport): string {
  const bound = bounds.bounds[look - 1];
  const against = bound === undefined ? "" : ` against the bound ${fixed(bound, 2)}`;
  return `group-sequential look ${look}: statistic ${signed(statistic)}${against}, ${crossed ? "crossed" : "not crossed"}`;
}
