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
  cells.fill("━", place(interval.ciLow), place(interval.ciHigh) + 1);
  if (place(interval.ciLow) <= half && half <= place(interval.ciHigh)) cells[half] = "┿";
  cells[place(interval.estimate)] = "●";
  return cells.join("");
}
