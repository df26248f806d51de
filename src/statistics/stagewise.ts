/**
 * The analysis after a group-sequential test has stopped, by the stagewise ordering: a path that crossed earlier is more
 * extreme than one that crossed later, and at the same look the higher statistic is (Fairbanks, Madsen, Biometrika 69,
 * 1982; Tsiatis, Rosner, Mehta, Biometrics 40, 1984; Jennison, Turnbull 2000, sections 8.4 and 8.5). It knows only looks
 * that were taken. An estimate taken at the stop as if it had been planned there is too large; this one is not.
 */
import { type Answer, answer, noAnswer } from "./estimate.ts";
import { crossings, type SequentialBounds } from "./group-sequential.ts";
import { increasingRoot } from "./root.ts";
import type { Interval } from "./welch.ts";

export interface StagewiseResult extends Interval {
  /** At most alpha exactly where a bound was crossed. */
  readonly pValue: number;
}

/** How far from the observed the drift is looked for, in standard deviations of the statistic: 1e-23 is left beyond. */
const widest = 10;

/**
 * @param design up to the look at which the experiment stopped (or stands), that look included; none before it crossed.
 * @returns the median-unbiased estimate, the interval of level `1 - alpha` (with one side `1 - 2 alpha`, so that its
 * lower end has level alpha) and the p-value of "no effect" (with one side: "no effect or a negative one").
 */
export function stagewiseResult(
  design: SequentialBounds,
  { estimate, standardError }: { readonly estimate: number; readonly standardError: number },
): Answer<StagewiseResult, "no-looks" | "no-variance" | "infinite"> {
  const fraction = design.fractions.at(-1);
  if (fraction === undefined) return noAnswer("no-looks");
  if (standardError === 0) return noAnswer("no-variance");
  const statistic = estimate / standardError;
  if (!Number.isFinite(statistic)) return noAnswer("infinite");
  const tails = tailsOf(design, statistic);
  const none = tails(0);
  const pValue = design.sides === 1 ? none.above : Math.min(1, 2 * Math.min(none.above, none.below));
  // The statistic's mean is drift sqrt(fraction) and also effect / SE.
  const effect = standardError * Math.sqrt(fraction);
  const level = design.alpha / design.sides;
  const middle = statistic / Math.sqrt(fraction);
  const reach = (widest + Math.abs(statistic)) / Math.sqrt(design.fractions[0] as number);
  const drift = (f: (drift: number) => number) => increasingRoot(f, middle - reach, middle + reach);
  return answer({
    pValue,
    estimate: effect * drift((at) => tails(at).above - 0.5),
    ciLow: effect * drift((at) => tails(at).above - level),
    ciHigh: effect * drift((at) => level - tails(at).below),
  });
}

/** The probabilities of a path at least as far above, and at least as far below, as the one that was seen. */
function tailsOf(design: SequentialBounds, statistic: number) {
  const bounds = [...design.bounds.slice(0, -1), statistic];
  return (drift: number) => {
    // With a bound of its own below: what lies below the statistic at the last look is not what lies below its negative.
    const { above, below } = crossings({ ...design, bounds }, drift, statistic);
    return { above: sum(above), below: sum(below) };
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
