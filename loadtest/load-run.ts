import { randomStream } from "../src/simulation/random-stream.ts";
import { type ArrivalKind, scheduleArrivals } from "./arrivals.ts";
import { curveOf, type LatencyPercentiles, percentilesOf } from "./latency.ts";
import { runOpenLoop } from "./open-loop.ts";
import type { Target } from "./target.ts";

export interface Load {
  readonly target: Target;
  /** Ready-made requests, sent in turn. */
  readonly requests: readonly Buffer[];
  readonly rate: number;
  readonly seconds: number;
  readonly arrivals: ArrivalKind;
  readonly seed: number;
}

/** One run as it is reported and saved; rates a second, times in ms. */
export interface LoadReport {
  readonly target: string;
  readonly offeredRate: number;
  readonly achievedRate: number;
  /** Goodput: whole answers within 50 ms of their scheduled arrival. */
  readonly goodRate: number;
  /** The same with those that say themselves that they are degraded. */
  readonly timelyRate: number;
  readonly scheduled: number;
  readonly answered: number;
  readonly degraded: number;
  readonly errors: Readonly<Record<string, number>>;
  /** From the scheduled arrival, so that a stall of the server shows in full. */
  readonly latencyMs: LatencyPercentiles;
  readonly fromSendingMs: LatencyPercentiles;
  /** How late the generator was itself; where its p99 is near the latency's, the generator was the bottleneck. */
  readonly generatorLagMs: LatencyPercentiles;
  /** `[percentile, ms]`. */
  readonly curve: readonly (readonly [number, number])[];
}

export async function runLoad(load: Load): Promise<LoadReport> {
  const { target, requests, rate, seconds } = load;
  const arrivals = scheduleArrivals(load.arrivals, rate, seconds, randomStream(load.seed, "arrivals", rate));
  const result = await runOpenLoop(arrivals, (index) =>
    target.send(requests[index % requests.length] as Buffer),
  );
  return {
    target: target.name,
    offeredRate: result.scheduled / seconds,
    achievedRate: result.answered / Math.max(seconds, result.seconds),
    goodRate: result.good / seconds,
    timelyRate: result.timely / seconds,
    scheduled: result.scheduled,
    answered: result.answered,
    degraded: result.degraded,
    errors: result.errors,
    latencyMs: percentilesOf(result.latencies),
    fromSendingMs: percentilesOf(result.fromSending),
    generatorLagMs: percentilesOf(result.lag),
    curve: curveOf(result.latencies),
  };
}
