import type { Random } from "../src/domain/clock.ts";

export type ArrivalKind = "poisson" | "fixed";

/**
 * When requests arrive, in ms from the start, for `seconds` at `rate` a second: evenly spaced, or as a Poisson process
 * (exponential gaps), which is how independent users come. Fixed before the first answer: nothing that the server
 * does can move an arrival.
 */
export function scheduleArrivals(
  kind: ArrivalKind,
  rate: number,
  seconds: number,
  random: Random,
): Float64Array {
  const endMs = seconds * 1_000;
  const gapMs = 1_000 / rate;
  const arrivals: number[] = [];
  const gap = kind === "fixed" ? () => gapMs : () => -Math.log(1 - random.next()) * gapMs;
  for (let at = gap(); at <= endMs; at += gap()) arrivals.push(at);
  return Float64Array.from(arrivals);
}
