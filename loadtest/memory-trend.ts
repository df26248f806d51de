import { fitLine } from "./line-fit.ts";

/** Memory over time: `[minutes, MiB]` samples in their order. */
export interface MemorySummary {
  readonly start: number;
  readonly end: number;
  readonly peak: number;
  /**
   * Least-squares slope of the second half, MiB a minute: caches fill and the heap settles in the first, what still
   * grows after that is a leak.
   */
  readonly secondHalfPerMinute: number;
}

export function summariseMemory(samples: readonly (readonly [number, number])[]): MemorySummary {
  const sizes = samples.map(([, size]) => size);
  return {
    start: sizes[0] ?? 0,
    end: sizes.at(-1) ?? 0,
    peak: Math.max(0, ...sizes),
    secondHalfPerMinute: fitLine(samples.slice(Math.floor(samples.length / 2))).slope,
  };
}
