import { build, type Histogram } from "hdr-histogram-js";

/** Latencies in an HdrHistogram of microseconds with three significant digits; read in milliseconds. */
export interface Latencies {
  record(ms: number): void;
  at(percentile: number): number;
  readonly count: number;
  readonly maxMs: number;
}

/** Percentiles of every report, in ms. */
export interface LatencyPercentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p99_9: number;
  readonly max: number;
}

/** Ten minutes: longer than any run waits for an answer. */
const highestMicroseconds = 600_000_000;

export function createLatencies(): Latencies {
  const histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestMicroseconds,
    numberOfSignificantValueDigits: 3,
  });
  return {
    record(ms) {
      histogram.recordValue(Math.min(highestMicroseconds, Math.max(0, Math.round(ms * 1_000))));
    },
    at: (percentile) => histogram.getValueAtPercentile(percentile) / 1_000,
    get count() {
      return histogram.totalCount;
    },
    get maxMs() {
      return histogram.totalCount === 0 ? 0 : histogram.maxValue / 1_000;
    },
  };
}

export function percentilesOf(latencies: Latencies): LatencyPercentiles {
  return {
    p50: latencies.at(50),
    p90: latencies.at(90),
    p95: latencies.at(95),
    p99: latencies.at(99),
    p99_9: latencies.at(99.9),
    max: latencies.maxMs,
  };
}

/** `[percentile, ms]` for a plot: dense where the tail is. */
export function curveOf(latencies: Latencies): [number, number][] {
  const percentiles = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99];
  // Beyond the last request there is nothing to read: 1,000 requests have no 99.99th.
  const finest = 100 - 100 / Math.max(1, latencies.count);
  return percentiles.filter((percentile) => percentile <= finest).map((p) => [p, latencies.at(p)]);
}
