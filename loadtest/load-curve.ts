import type { ServerName } from "./bench-scenarios.ts";
import { isSustained, type SustainedBound, tailRatio } from "./find-max.ts";
import type { LoadReport } from "./load-run.ts";

/** Latency against load of one server: rates a second, times in ms from the scheduled arrival. */
export interface LoadCurve {
  readonly server: ServerName;
  /** Requests a second that a closed loop got: what the steps are shares of. */
  readonly capacity: number;
  /** In the order of their rates. */
  readonly steps: readonly CurveStep[];
  /** The highest step that was sustained; null where none was. */
  readonly highestSustainedRate: number | null;
  /** The run with the middle tail of three at half of that; null where none was sustained. */
  readonly half: (CurveStep & { readonly tailRatio: number }) | null;
  readonly loadBefore: number;
  readonly at: string;
}

export interface CurveStep {
  readonly offeredRate: number;
  readonly achievedRate: number;
  /** Whole answers within 50 ms; `timelyRate` has the degraded ones too. */
  readonly goodRate: number;
  readonly timelyRate: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Of all that were scheduled. */
  readonly failed: number;
  readonly degraded: number;
  readonly scheduled: number;
  readonly lagP99Ms: number;
}

/** From light load to twice what a closed loop gets; dense where the knee is. */
export const loadShares: readonly number[] = [0.05, 0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 1, 1.15, 1.4, 2];

/** What `--find-max` calls sustained. */
export const sustainedBound: SustainedBound = { p99MsMax: 50, achievedMin: 0.99 };

/** The step with the highest rate that was sustained, whatever became of those below: one bad second decides nothing. */
export function highestSustained(
  reports: readonly LoadReport[],
  bound = sustainedBound,
): LoadReport | undefined {
  return reports
    .filter((report) => isSustained(report, bound))
    .toSorted((a, b) => a.offeredRate - b.offeredRate)
    .at(-1);
}

/**
 * One server's curve from its runs.
 * @param half the run at half of the highest sustained rate, where there is one.
 */
export function loadCurveOf(
  { server, capacity, loadBefore }: Pick<LoadCurve, "server" | "capacity" | "loadBefore">,
  reports: readonly LoadReport[],
  half: LoadReport | undefined,
): LoadCurve {
  return {
    server,
    capacity,
    steps: reports.map(stepOf).toSorted((a, b) => a.offeredRate - b.offeredRate),
    highestSustainedRate: highestSustained(reports)?.offeredRate ?? null,
    half: half === undefined ? null : { ...stepOf(half), tailRatio: tailRatio(half) },
    loadBefore,
    at: new Date().toISOString(),
  };
}

function stepOf(report: LoadReport): CurveStep {
  const { offeredRate, achievedRate, goodRate, timelyRate, degraded, scheduled, answered, latencyMs } =
    report;
  return {
    offeredRate,
    achievedRate,
    goodRate,
    timelyRate,
    p50Ms: latencyMs.p50,
    p95Ms: latencyMs.p95,
    p99Ms: latencyMs.p99,
    failed: scheduled - answered,
    degraded,
    scheduled,
    lagP99Ms: report.generatorLagMs.p99,
  };
}
