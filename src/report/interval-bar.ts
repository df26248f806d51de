import type { Interval } from "../statistics/statistics.ts";

/** Characters of a bar; odd, so that zero has a place of its own in the middle. */
const barWidthDefault = 31;

/** The largest distance from zero that any of the intervals reaches: bars of one scale can be compared. */
export function reachOf(intervals: readonly Interval[]): number {
  return Math.max(0, ...intervals.flatMap(({ ciLow, ciHigh }) => [Math.abs(ciLow), Math.abs(ciHigh)]));
}

/** An interval drawn from `-reach` to `+reach`: `━` the interval, `●` the estimate, `┊` zero where it is free. */
export function intervalBar(interval: Interval, reach: number, barWidth = barWidthDefault): string {
  const half = (barWidth - 1) / 2;
  const place = (value: number): number => half + Math.round((reach === 0 ? 0 : value / reach) * half);
  const cells = new Array<string>(barWidth).fill(" ");
  cells[half] = "┊";
  // An interval that leaves zero out leaves its cell free, however near it comes.
  const low = interval.ciLow > 0 ? Math.max(half + 1, place(interval.ciLow)) : place(interval.ciLow);
  const high = interval.ciHigh < 0 ? Math.min(half - 1, place(interval.ciHigh)) : place(interval.ciHigh);
  cells.fill("━", low, high + 1);
  if (low <= half && half <= high) cells[half] = "┿";
  cells[Math.min(high, Math.max(low, place(interval.estimate)))] = "●";
  return cells.join("");
}
