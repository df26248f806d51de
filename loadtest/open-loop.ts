import { createLatencies, type Latencies } from "./latency.ts";
import type { Answer } from "./target.ts";

/** What an open-loop run measured; every latency counts from the scheduled arrival, not from the sending. */
export interface OpenLoopResult {
  readonly scheduled: number;
  /** Seconds from the start to the last answer. */
  readonly seconds: number;
  /** Of good answers. */
  readonly latencies: Latencies;
  /** The same from the moment of sending: what a generator with coordinated omission would have said. */
  readonly fromSending: Latencies;
  /** How late the generator itself was with each sending. */
  readonly lag: Latencies;
  readonly answered: number;
  readonly degraded: number;
  /** Whole answers, not degraded, within `goodMsMax` of their scheduled arrival. */
  readonly good: number;
  /** The same, degraded ones included. */
  readonly timely: number;
  /** Failures by code. */
  readonly errors: Readonly<Record<string, number>>;
}

/** An answer that comes later is of no use to a frontend: the bound that `--find-max` has for p99 too. */
export const goodMsMax = 50;

/**
 * Sends request i at `arrivals[i]` (ms from the start) whatever became of those before it. Resolves once every request
 * has an answer or `drainMs` after the last arrival, when what is still missing counts as `no answer`.
 */
export async function runOpenLoop(
  arrivals: Float64Array,
  send: (index: number) => Promise<Answer>,
  drainMs = 10_000,
): Promise<OpenLoopResult> {
  const latencies = createLatencies();
  const fromSending = createLatencies();
  const lag = createLatencies();
  const errors: Record<string, number> = {};
  let answered = 0;
  let degraded = 0;
  let good = 0;
  let timely = 0;
  let outstanding = 0;
  let lastAnswerMs = 0;
  const start = performance.now();

  async function dispatch(index: number, scheduledMs: number): Promise<void> {
    const sentMs = performance.now() - start;
    lag.record(sentMs - scheduledMs);
    outstanding++;
    const answer = await send(index);
    outstanding--;
    lastAnswerMs = performance.now() - start;
    if (!answer.ok) {
      errors[answer.code] = (errors[answer.code] ?? 0) + 1;
      return;
    }
    answered++;
    if (answer.degraded) degraded++;
    if (lastAnswerMs - scheduledMs <= goodMsMax) {
      timely++;
      if (!answer.degraded) good++;
    }
    latencies.record(lastAnswerMs - scheduledMs);
    fromSending.record(lastAnswerMs - sentMs);
  }

  let next = 0;
  while (next < arrivals.length) {
    const nowMs = performance.now() - start;
    for (let due = arrivals[next]; due !== undefined && due <= nowMs; due = arrivals[next]) {
      void dispatch(next++, due);
    }
    const waitMs = (arrivals[next] ?? 0) - (performance.now() - start);
    // A timer is up to 1 ms late, which `lag` shows; waiting in a loop would take the CPU that the server needs.
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, waitMs)));
  }
  const giveUpAt = performance.now() + drainMs;
  while (outstanding > 0 && performance.now() < giveUpAt)
    await new Promise((resolve) => setTimeout(resolve, 5));
  if (outstanding > 0) errors["no answer"] = outstanding;
  return {
    scheduled: arrivals.length,
    seconds: Math.max(lastAnswerMs, arrivals.at(-1) ?? 0) / 1_000,
    latencies,
    fromSending,
    lag,
    answered,
    degraded,
    good,
    timely,
    errors: { ...errors },
  };
}
