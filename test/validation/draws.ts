/** What the simulated experiments draw, and how they read an answer. */
import type { Random } from "../../src/domain/clock.ts";
import { type Answer, difference, type Estimate } from "../../src/statistics/statistics.ts";

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export function lognormal(random: Random, sigma: number): number {
  return Math.exp(sigma * normal(random));
}

export function draws<T>(count: number, draw: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => draw(at));
}

/** How many of `trials` happen. */
export function successes(random: Random, trials: number, share: number): number {
  let happened = 0;
  for (let trial = 0; trial < trials; trial++) happened += random.next() < share ? 1 : 0;
  return happened;
}

/** The value of an answer that the simulation is made to have. */
export function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

/** Whether Welch's test finds the arms different; undefined where it has no answer. */
export function found(
  treated: Answer<Estimate, string>,
  control: Answer<Estimate, string>,
  alpha = 0.05,
): boolean | undefined {
  if (!treated.ok || !control.ok) return undefined;
  const tested = difference(treated.value, control.value, alpha);
  return tested.ok ? tested.value.pValue < alpha : undefined;
}

/** Whether an interval leaves the truth out. */
export function misses(
  interval: Answer<{ readonly ciLow: number; readonly ciHigh: number }, string>,
  truth: number,
): boolean | undefined {
  if (!interval.ok) return undefined;
  return truth < interval.value.ciLow || truth > interval.value.ciHigh;
}
