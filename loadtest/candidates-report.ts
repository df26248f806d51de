import Table from "cli-table3";
import { median } from "./bench-ratios.ts";
import type { Machine } from "./bench-report.ts";
import type { ClosedLoopResult } from "./closed-loop-client.ts";
import { fitLine, relativeWeight } from "./line-fit.ts";

/** One measurement for each number of candidates. */
export type CandidatesRound = readonly (readonly [number, ClosedLoopResult])[];

export interface CandidatesReport {
  /** Medians over the rounds. */
  readonly points: readonly CandidatesPoint[];
  /** Of the line through the medians, every point's relative error counting alike. */
  readonly fixedMs: number;
  readonly microsecondsACandidate: number;
  /** The line itself is within this share of every point. */
  readonly deviationMax: number;
  readonly rounds: number;
  readonly machine: Machine;
  readonly at: string;
}

export interface CandidatesPoint {
  readonly candidates: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly degraded: number;
  readonly failed: number;
}

export function candidatesReportOf(rounds: readonly CandidatesRound[], machine: Machine): CandidatesReport {
  const counts = (rounds[0] ?? []).map(([count]) => count);
  const points = counts.map((candidates, place) => {
    const results = rounds.flatMap((round) => round[place]?.[1] ?? []);
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    return {
      candidates,
      p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
      degraded: total(results.map(({ degraded }) => degraded)),
      failed: total(results.flatMap(({ errors }) => Object.values(errors))),
    };
  });
  const line = fitLine(
    points.map(({ candidates, p50Ms }) => [candidates, p50Ms]),
    relativeWeight,
  );
  return {
    points,
    fixedMs: line.fixed,
    microsecondsACandidate: 1_000 * line.slope,
    deviationMax: Math.max(
      0,
      ...points.map(({ candidates, p50Ms }) => Math.abs((line.fixed + line.slope * candidates) / p50Ms - 1)),
    ),
    rounds: rounds.length,
    machine,
    at: new Date().toISOString(),
  };
}

export function formatCandidates(report: CandidatesReport): string {
  const { points, fixedMs, microsecondsACandidate, deviationMax, machine, rounds } = report;
  const table = new Table({
    head: ["candidates", "p50 ms", "line ms", "p99 ms", "failed", "degraded"],
    colAligns: Array.from({ length: 6 }, () => "right" as const),
    style: { head: [], border: [], compact: true },
  });
  for (const { candidates, p50Ms, p99Ms, failed, degraded } of points) {
    const onLine = fixedMs + (microsecondsACandidate * candidates) / 1_000;
    const times = [p50Ms, onLine, p99Ms].map((ms) => ms.toFixed(3));
    table.push([candidates, ...times, failed, degraded]);
  }
  return `${table.toString()}
p50 = ${fixedMs.toFixed(3)} ms + ${microsecondsACandidate.toFixed(2)} us a candidate, within ${(100 * deviationMax).toFixed(0)} %; the fixed part is to be under 0.5 ms
HTTP, 1 connection; ${machine.cpu}, ${machine.threads} hardware threads, Node ${machine.node}; medians of ${rounds} rounds.
`;
}
