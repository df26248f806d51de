import type { RankTimings } from "../domain/rank.ts";

/**
 * The value of `Server-Timing` (W3C Server Timing, milliseconds): `assign;dur=0.01, features;dur=0.2, …`.
 * A microsecond is as fine as the clock is worth.
 */
export function serverTiming(timings: RankTimings): string {
  const { assign, features, queue, inference, rank } = timings;
  return `assign;dur=${ms(assign)}, features;dur=${ms(features)}, queue;dur=${ms(queue)}, inference;dur=${ms(inference)}, rank;dur=${ms(rank)}`;
}

function ms(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
