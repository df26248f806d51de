import Table from "cli-table3";
import { median } from "./bench-ratios.ts";
import type { Machine } from "./bench-report.ts";
import type { ClosedLoopResult } from "./closed-loop-client.ts";

/** What `npm run loadtest:processes` measured; figures are medians over the rounds. */
export interface ProcessesReport {
  readonly rows: readonly ProcessesRow[];
  readonly connections: number;
  readonly generators: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: Machine;
  readonly at: string;
}

/** One turn of one server: what each generator saw, and who was how busy, in cores. */
export interface ProcessesTurn {
  readonly results: readonly ClosedLoopResult[];
  readonly serverCores: number;
  /** Near 1 it is the generators that are measured. */
  readonly busiestGenerator: number;
}

export interface ProcessesRow {
  readonly processes: number;
  readonly candidates: number;
  /** Whole answers of all generators. */
  readonly requestsPerSecond: number;
  /** The middle one of the generators' medians. */
  readonly p50Ms: number;
  /** The largest of the generators' 99th percentiles. */
  readonly p99Ms: number;
  readonly serverCores: number;
  readonly busiestGenerator: number;
  readonly residentMib: number;
  /** In all rounds. */
  readonly failed: number;
  readonly degraded: number;
}

export function processesRowOf(
  of: { readonly processes: number; readonly candidates: number },
  turns: readonly ProcessesTurn[],
  residentMib: number,
): ProcessesRow {
  const middle = (value: (turn: ProcessesTurn) => number) => median(turns.map(value));
  const all = turns.flatMap(({ results }) => results);
  return {
    ...of,
    requestsPerSecond: middle(({ results }) => sum(results.map((one) => one.requestsPerSecond))),
    p50Ms: middle(({ results }) => median(results.map((one) => one.p50Ms))),
    p99Ms: middle(({ results }) => Math.max(...results.map((one) => one.p99Ms))),
    serverCores: middle((turn) => turn.serverCores),
    busiestGenerator: middle((turn) => turn.busiestGenerator),
    residentMib,
    failed: sum(all.flatMap(({ errors }) => Object.values(errors))),
    degraded: sum(all.map(({ degraded }) => degraded)),
  };
}

export function formatProcesses(report: ProcessesReport): string {
  const { rows, machine, connections, generators, rounds, seconds } = report;
  const head = ["candidates", "processes", "requests/s", "of the first", "p50 ms", "p99 ms"];
  const table = new Table({
    head: [...head, "cores used", "busiest generator", "MiB", "failed", "degraded"],
    colAligns: Array.from({ length: 11 }, () => "right" as const),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const first = rows.find(({ candidates }) => candidates === row.candidates) ?? row;
    table.push([
      row.candidates,
      row.processes,
      row.requestsPerSecond.toFixed(0),
      (row.requestsPerSecond / first.requestsPerSecond).toFixed(2),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.serverCores.toFixed(1),
      `${(100 * row.busiestGenerator).toFixed(0)} %`,
      row.residentMib.toFixed(0),
      row.failed,
      row.degraded,
    ]);
  }
  return `${table}
HTTP, closed loop, ${connections} connections from ${generators} generators; medians of ${rounds} turns of ${seconds} s.
${machine.cpu}, ${machine.threads} hardware threads, Node ${machine.node}; generators and server share them.
`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
