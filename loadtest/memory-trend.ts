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
    secondHalfPerMinute: slope(samples.slice(Math.floor(samples.length / 2))),
  };
}

function slope(points: readonly (readonly [number, number])[]): number {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const together = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return spread === 0 ? 0 : together / spread;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
