import type { BareResult } from "./bare.ts";
import type { FastapiScenarioId, ScenarioId } from "./bench-scenarios.ts";
import type { ClosedLoopResult } from "./closed-loop-client.ts";

/** One round: bare and every scenario, one after the other; without FastAPI's where it was left out. */
export interface Round {
  readonly bare: BareResult;
  readonly scenarios: Readonly<
    Record<Exclude<ScenarioId, FastapiScenarioId>, ClosedLoopResult> &
      Partial<Record<FastapiScenarioId, ClosedLoopResult>>
  >;
}

/** Above 1 is better for throughput, below 1 for times; null where the other side was left out. */
export interface Ratios {
  readonly http200ThroughputVsBare: number;
  readonly grpc200ThroughputVsBare: number;
  readonly stream200ThroughputVsBare: number;
  readonly http200MedianVsBare: number;
  readonly http10x16ThroughputVsPlain: number;
  readonly http200x16ThroughputVsPlain: number;
  readonly http200x16P99VsPlain: number;
  readonly http200x16ThroughputVsFastapi: number | null;
  readonly http200x16P99VsFastapi: number | null;
}

/**
 * The median over the rounds of each round's own ratio: both sides of a ratio ran within the same seconds, so that a
 * machine that slows down for a while slows both.
 */
export function ratiosOf(rounds: readonly Round[]): Ratios {
  const of = (ratio: (round: Round) => number) => median(rounds.map(ratio));
  const vsFastapi = (ratio: (one: ClosedLoopResult, other: ClosedLoopResult) => number): number | null => {
    const values = rounds.flatMap(({ scenarios: { setlistHttp200x16, fastapiHttp200x16 } }) =>
      fastapiHttp200x16 === undefined ? [] : [ratio(setlistHttp200x16, fastapiHttp200x16)],
    );
    return values.length === 0 ? null : median(values);
  };
  return {
    http200ThroughputVsBare: of(
      ({ bare, scenarios }) => scenarios.setlistHttp200x32.candidatesPerSecond / bare.candidatesPerSecond,
    ),
    grpc200ThroughputVsBare: of(
      ({ bare, scenarios }) => scenarios.setlistGrpc200x32.candidatesPerSecond / bare.candidatesPerSecond,
    ),
    stream200ThroughputVsBare: of(
      ({ bare, scenarios }) => scenarios.setlistStream200x32.candidatesPerSecond / bare.candidatesPerSecond,
    ),
    http200MedianVsBare: of(({ bare, scenarios }) => scenarios.setlistHttp200x1.p50Ms / bare.medianMs),
    http10x16ThroughputVsPlain: of(
      ({ scenarios }) =>
        scenarios.setlistHttp10x16.requestsPerSecond / scenarios.plainHttp10x16.requestsPerSecond,
    ),
    http200x16ThroughputVsPlain: of(
      ({ scenarios }) =>
        scenarios.setlistHttp200x16.requestsPerSecond / scenarios.plainHttp200x16.requestsPerSecond,
    ),
    http200x16P99VsPlain: of(
      ({ scenarios }) => scenarios.setlistHttp200x16.p99Ms / scenarios.plainHttp200x16.p99Ms,
    ),
    http200x16ThroughputVsFastapi: vsFastapi((one, other) => one.requestsPerSecond / other.requestsPerSecond),
    http200x16P99VsFastapi: vsFastapi((one, other) => one.p99Ms / other.p99Ms),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
