import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import Table from "cli-table3";
import { median, type Ratios, type Round, ratiosOf } from "./bench-ratios.ts";
import { scenarios } from "./bench-scenarios.ts";

/** What `npm run bench -- --json FILE` saves. Figures are medians over the rounds. */
export interface BenchReport {
  readonly ratios: Ratios;
  readonly figures: readonly Figure[];
  /** Who did not take part, and why; empty where everybody did. */
  readonly leftOut: readonly string[];
  readonly machine: Machine;
  readonly rounds: number;
  readonly at: string;
}

/** Where something was measured. */
export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly node: string;
  /** Processes that wanted to run in the minute before the start; above 0.5 somebody else was at work. */
  readonly loadBefore: number;
}

export interface Figure {
  readonly id: string;
  readonly label: string;
  readonly requestsPerSecond: number;
  readonly candidatesPerSecond: number;
  readonly p50Ms: number;
  /** Null for bare, which has no clients. */
  readonly p99Ms: number | null;
  /** Requests that failed, and answers that were degraded, in all rounds. */
  readonly errors: number;
  readonly degraded: number;
}

/**
 * @param loadBefore the load average at the start, before the benchmark made its own.
 * @param leftOut sentences on who did not take part.
 */
export function reportOf(
  rounds: readonly Round[],
  loadBefore: number,
  leftOut: readonly string[] = [],
): BenchReport {
  return {
    ratios: ratiosOf(rounds),
    figures: [bareFigure(rounds), ...scenarioFigures(rounds)],
    leftOut,
    machine: machineOf(loadBefore),
    rounds: rounds.length,
    at: new Date().toISOString(),
  };
}

export function machineOf(loadBefore: number): Machine {
  const cpu = cpus()[0]?.model ?? "unknown";
  return { cpu, threads: availableParallelism(), node: process.version, loadBefore };
}

/** A committed report. One that was made before a ratio came up lacks it. */
export interface Baseline {
  readonly ratios: Partial<Ratios>;
}

/** The committed figures to stand beside today's; undefined where there are none. */
export function readBaseline(): Baseline | undefined {
  try {
    return JSON.parse(readFileSync(join(import.meta.dirname, "baselines/bench.json"), "utf8")) as Baseline;
  } catch {
    return undefined;
  }
}

export function formatBench(report: BenchReport, baseline: Baseline | undefined): string {
  const figures = new Table({
    head: ["", "requests/s", "candidates/s", "p50 ms", "p99 ms", "failed", "degraded"],
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const figure of report.figures) {
    figures.push([
      figure.label,
      figure.requestsPerSecond.toFixed(0),
      figure.candidatesPerSecond.toFixed(0),
      figure.p50Ms.toFixed(2),
      figure.p99Ms?.toFixed(2) ?? "",
      figure.errors,
      figure.degraded,
    ]);
  }
  const ratios = new Table({
    head: ["ratio", "", "now", "baseline"],
    colAligns: ["left", "left", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, words] of Object.entries(meanings) as [keyof Ratios, string][]) {
    ratios.push([
      name,
      words,
      report.ratios[name]?.toFixed(2) ?? "left out",
      baseline?.ratios[name]?.toFixed(2) ?? "",
    ]);
  }
  const { cpu, threads, node, loadBefore } = report.machine;
  return `${figures.toString()}
${ratios.toString()}
"plain" is a Fastify server with onnxruntime-node as anyone would write it first: loadtest/plain-server.ts.
${report.leftOut.map((sentence) => `${sentence}\n`).join("")}${cpu}, ${threads} hardware threads, Node ${node}; medians of ${report.rounds} rounds.
Client, server and inference share these threads: trust the ratios, not the absolute figures.
${
  loadBefore > 0.5
    ? `The machine was busy before the start (load ${loadBefore.toFixed(1)}): trust neither far.
`
    : ""
}`;
}

const meanings: Readonly<Record<keyof Ratios, string>> = {
  http200ThroughputVsBare: "HTTP, 200 candidates, 32 connections: candidates/s over bare's; more is better",
  grpc200ThroughputVsBare: "gRPC unary, the same; more is better",
  stream200ThroughputVsBare: "one gRPC stream with 32 requests in flight, the same; more is better",
  http200MedianVsBare: "HTTP, 200 candidates, 1 connection: median over bare's; less is better",
  http10x16ThroughputVsPlain: "HTTP, 16 clients of 10 candidates: requests/s over plain's; more is better",
  http200x16ThroughputVsPlain: "HTTP, 16 clients of 200 candidates: requests/s over plain's; more is better",
  http200x16P99VsPlain: "the same: p99 over plain's; less is better",
  http200x16ThroughputVsFastapi: "the same: requests/s over FastAPI's; more is better",
  http200x16P99VsFastapi: "the same: p99 over FastAPI's; less is better",
};

function bareFigure(rounds: readonly Round[]): Figure {
  const of = (value: (round: Round) => number) => median(rounds.map(value));
  return {
    id: "bare",
    label: "bare: ONNX Runtime alone, 1 thread, 200 candidates",
    requestsPerSecond: of(({ bare }) => bare.runsPerSecond),
    candidatesPerSecond: of(({ bare }) => bare.candidatesPerSecond),
    p50Ms: of(({ bare }) => bare.medianMs),
    p99Ms: null,
    errors: 0,
    degraded: 0,
  };
}

function scenarioFigures(rounds: readonly Round[]): Figure[] {
  return scenarios.flatMap(({ id, label }) => {
    const results = rounds.flatMap((round) => round.scenarios[id] ?? []);
    if (results.length === 0) return [];
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    return {
      id,
      label,
      requestsPerSecond: median(results.map((result) => result.requestsPerSecond)),
      candidatesPerSecond: median(results.map((result) => result.candidatesPerSecond)),
      p50Ms: median(results.map((result) => result.p50Ms)),
      p99Ms: median(results.map((result) => result.p99Ms)),
      errors: sum(results.flatMap((result) => Object.values(result.errors))),
      degraded: sum(results.map((result) => result.degraded)),
    };
  });
}
