import type { Interval } from "../statistics/statistics.ts";

/** Characters of a bar; odd, so that zero has a place of its own in the middle. */
const barWidthDefault = 31;

/** One interval may be this many times as wide as the middle one before it is cut: the others would be dots otherwise. */
const cutAt = 6;

/** How far from zero a bar's ends are, so that bars of one scale can be compared; 0 where there is nothing to draw. */
export function reachOf(intervals: readonly Interval[]): number {
  const reaches = intervals
    .filter(isDrawable)
    .map(({ ciLow, ciHigh }) => Math.max(Math.abs(ciLow), Math.abs(ciHigh)))
    .sort((a, b) => a - b);
  const middle = reaches[Math.floor((reaches.length - 1) / 2)] ?? 0;
  const widest = reaches.at(-1) ?? 0;
  return middle === 0 ? widest : Math.min(widest, cutAt * middle);
}

/**
 * An interval drawn from `-reach` to `+reach`: `━` the interval, `●` the estimate, `┊` zero where it is free, `◀` and `▶`
 * where it goes on beyond. Nothing but zero where an end is no number.
 */
export function intervalBar(interval: Interval, reach: number, barWidth = barWidthDefault): string {
  const half = (barWidth - 1) / 2;
  const cells = new Array<string>(barWidth).fill(" ");
  cells[half] = "┊";
  if (!isDrawable(interval)) return cells.join("");
  const cell = (value: number): number => {
    const share = reach === 0 ? 0 : Math.max(-1, Math.min(1, value / reach));
    return half + Math.round(share * half);
  };
  // An interval that leaves zero out leaves its cell free, however near it comes.
  const low = interval.ciLow > 0 ? Math.max(half + 1, cell(interval.ciLow)) : cell(interval.ciLow);
  const high = interval.ciHigh < 0 ? Math.min(half - 1, cell(interval.ciHigh)) : cell(interval.ciHigh);
  cells.fill("━", low, high + 1);
  if (low <= half && half <= high) cells[half] = "┿";
  cells[Math.min(high, Math.max(low, cell(interval.estimate)))] = "●";
  if (interval.ciLow < -reach) cells[0] = "◀";
  if (interval.ciHigh > reach) cells[barWidth - 1] = "▶";
  return cells.join("");
}

function isDrawable({ estimate, ciLow, ciHigh }: Interval): boolean {
  return [estimate, ciLow, ciHigh].every(Number.isFinite);
}
