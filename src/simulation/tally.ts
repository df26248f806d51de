import type { Act } from "./behaviour.ts";
import type { SentOutcomes } from "./outcome-sender.ts";
import type { Surface } from "./world.ts";

export interface SimulationProgress {
  readonly requests: number;
  readonly failed: number;
  readonly outcomes: number;
}

/** What a simulation did. Latencies are ms of one rank request as its client saw it. */
export interface SimulationSummary {
  readonly run: string;
  readonly seed: number;
  readonly seconds: number;
  /** Answered rank requests, and those of each surface. */
  readonly requests: number;
  readonly requestsOfSurface: Readonly<Record<Surface, number>>;
  /** Visits that got no ranking. */
  readonly failedRequests: number;
  /** Items shown. */
  readonly shown: number;
  /** What listeners did, by type. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly sent: SentOutcomes;
  /** Answers that were less than they could be, by reason; the number behind `defaults:` is dropped. */
  readonly degraded: Readonly<Record<string, number>>;
  /** Faults seen, those that a later attempt mended included. */
  readonly errors: Readonly<Record<string, number>>;
  readonly outcomeRetries: number;
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
}

export interface Tally {
  ranked(latencyMs: number, degraded: readonly string[]): void;
  /** @param mended whether another attempt follows. */
  failed(why: string, mended: boolean): void;
  shown(surface: Surface, items: number, acts: readonly Act[]): void;
  progress(): SimulationProgress;
  summary(sent: SentOutcomes, outcomeRetries: number): SimulationSummary;
}

export function createTally(run: string, seed: number): Tally {
  const start = performance.now();
  const latencies: number[] = [];
  const requestsOfSurface = { home: 0, radio: 0 };
  const outcomes: Record<string, number> = {};
  const degraded: Record<string, number> = {};
  const errors: Record<string, number> = {};
  let acted = 0;
  let shown = 0;
  let failed = 0;

  return {
    ranked(latencyMs, reasons) {
      latencies.push(latencyMs);
      for (const reason of reasons) add(degraded, reason.replace(/:\d+$/, ""), 1);
    },
    failed(why, mended) {
      add(errors, why, 1);
      if (!mended) failed++;
    },
    shown(surface, items, acts) {
      requestsOfSurface[surface]++;
      shown += items;
      acted += acts.length;
      for (const { type } of acts) add(outcomes, type, 1);
    },
    progress: () => ({ requests: latencies.length, failed, outcomes: acted }),
    summary(sent, outcomeRetries) {
      const sorted = Float64Array.from(latencies).sort();
      const at = (share: number) => percentile(sorted, share);
      return {
        run,
        seed,
        seconds: (performance.now() - start) / 1_000,
        requests: latencies.length,
        requestsOfSurface,
        failedRequests: failed,
        shown,
        outcomes,
        sent,
        degraded,
        errors,
        outcomeRetries,
        latencyMs: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
      };
    },
  };
}

/** The nearest rank; 0 of nothing. */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function add(counts: Record<string, number>, name: string, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}
