import { invalidArgument } from "../domain/error.ts";
import type { TrafficRange } from "../domain/experiment.ts";

/**
 * Traffic is dealt in millionths of a layer, so that ranges are the decimal numbers a person would write, and shares
 * that add up to 1 always fit: sums of doubles such as 0.1 + 0.2 + 0.7 would not.
 */
export const trafficStep = 1e-6;
const parts = 1_000_000;

/** True where `place` lies in one of the half-open ranges. */
export function holds(ranges: readonly TrafficRange[], place: number): boolean {
  for (const range of ranges) {
    if (place >= range.from && place < range.to) return true;
  }
  return false;
}

/** `[0, 0.25), [0.5, 1)`, as people read it. */
export function describeRanges(ranges: readonly TrafficRange[]): string {
  if (ranges.length === 0) return "none";
  return ranges.map(({ from, to }) => `[${from}, ${to})`).join(", ");
}

/**
 * The ranges of an experiment that held `previous` and now wants `traffic`, a share of the layer. Growing keeps what
 * it had and adds the first free ranges; shrinking gives up from the end: so a ramp moves nobody between experiments
 * who need not move, and nobody between arms at all.
 * @param taken the ranges of its layer mates.
 * @throws {SetlistError} INVALID_ARGUMENT where less than `traffic` is free.
 */
export function allocate(
  previous: readonly TrafficRange[],
  traffic: number,
  taken: readonly TrafficRange[],
): TrafficRange[] {
  const wanted = partsOf(traffic);
  const kept = cut(previous.map(toParts), wanted);
  const free = gaps([...kept, ...taken.map(toParts)]);
  const missing = wanted - size(kept);
  if (missing > size(free)) {
    throw invalidArgument(
      `traffic: expected at most ${(size(free) + size(kept)) / parts}, the free share of the layer, got ${traffic}`,
    );
  }
  return joined([...kept, ...cut(free, missing)]).map(({ from, to }) => ({
    from: from / parts,
    to: to / parts,
  }));
}

/** Whole millionths; rounded down, but for what is only the error of a decimal in binary. */
function partsOf(traffic: number): number {
  return Math.floor(traffic * parts + 1e-3);
}

function toParts({ from, to }: TrafficRange): TrafficRange {
  return { from: Math.round(from * parts), to: Math.round(to * parts) };
}

function size(ranges: readonly TrafficRange[]): number {
  return ranges.reduce((sum, range) => sum + range.to - range.from, 0);
}

/** The first `wanted` parts of the ranges, in their order. */
function cut(ranges: readonly TrafficRange[], wanted: number): TrafficRange[] {
  let left = wanted;
  const result: TrafficRange[] = [];
  for (const { from, to } of ranges) {
    if (left <= 0) break;
    const end = Math.min(to, from + left);
    result.push({ from, to: end });
    left -= end - from;
  }
  return result;
}

/** What nobody holds of [0, 1), in order. */
function gaps(held: readonly TrafficRange[]): TrafficRange[] {
  const result: TrafficRange[] = [];
  let end = 0;
  for (const { from, to } of sorted(held)) {
    if (from > end) result.push({ from: end, to: from });
    end = Math.max(end, to);
  }
  if (end < parts) result.push({ from: end, to: parts });
  return result;
}

/** Touching ranges become one. The order, which says what a later shrinking gives up first, stays. */
function joined(ranges: readonly TrafficRange[]): TrafficRange[] {
  const result: TrafficRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last?.to === range.from) result[result.length - 1] = { from: last.from, to: range.to };
    else result.push(range);
  }
  return result;
}

function sorted(ranges: readonly TrafficRange[]): TrafficRange[] {
  return [...ranges].sort((a, b) => a.from - b.from);
}
