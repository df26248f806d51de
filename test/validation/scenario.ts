/** Simulated experiments whose truth is known, and what may come out of them how often. */
import type { Random } from "../../src/domain/clock.ts";
import { proportion } from "../../src/statistics/statistics.ts";

export interface Scenario {
  readonly id: string;
  /** The heading it stands under. */
  readonly section: string;
  /** What is simulated, as the page says it. */
  readonly what: string;
  readonly runs: number;
  readonly questions: readonly Question[];
  /**
   * Works out once what all runs share. The function it gives simulates one experiment and says, for each question,
   * whether it came out so; undefined where the method had no answer.
   */
  readonly prepare: () => (random: Random) => readonly (boolean | undefined)[];
}

/** Something that happens in some of the runs, and how often it may. */
export interface Question {
  readonly name: string;
  readonly bar: Bar;
}

export type Bar =
  /** The binomial band around the promised share. */
  | { readonly kind: "is"; readonly share: number }
  /** The band for a 5 % test. */
  | { readonly kind: "within"; readonly low: number; readonly high: number }
  /** A promise that may be kept with room to spare: not shown to be above. */
  | { readonly kind: "at-most"; readonly share: number }
  /** The one-sided 99 % bound is below, and it does happen: neither broken nor so careful that it is useless. */
  | { readonly kind: "surely-below"; readonly share: number }
  | { readonly kind: "at-least"; readonly share: number }
  /** No promise: shown for contrast, or as a limit. */
  | { readonly kind: "shown" };

export interface Count {
  readonly happened: number;
  /** Runs with an answer. */
  readonly answered: number;
}

/** A share of a 5 % test that the bar allows. */
export const fivePercent: Bar = { kind: "within", low: 0.035, high: 0.065 };

/** The level of a health check: what fails it makes every other number worthless. */
export const alarm = 0.001;

/** Outside of it the share is not what was promised: one right scenario in a thousand. */
const bandAlpha = 0.001;
/** Both sides of a one-sided 99 % bound. */
const boundAlpha = 0.02;

/** The shares that are not ruled out: Wilson's interval, 99.9 %. */
export function bandOf({ happened, answered }: Count, alpha = bandAlpha): readonly [number, number] {
  const band = proportion({ events: happened, units: answered }, alpha);
  return band.ok ? [band.value.ciLow, band.value.ciHigh] : [0, 1];
}

/** Undefined where nothing was promised. */
export function isKept(bar: Bar, count: Count): boolean | undefined {
  if (bar.kind === "shown") return undefined;
  if (count.answered === 0) return false;
  const [low, high] = bandOf(count);
  const share = count.happened / count.answered;
  switch (bar.kind) {
    case "is":
      return low <= bar.share && bar.share <= high;
    case "within":
      return bar.low <= share && share <= bar.high;
    case "at-most":
      return low <= bar.share;
    case "surely-below":
      return count.happened > 0 && bandOf(count, boundAlpha)[1] < bar.share;
    case "at-least":
      return high >= bar.share;
  }
}
