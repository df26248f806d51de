import Table from "cli-table3";
import type { ExecutionProvider } from "../src/domain/execution-provider.ts";
import type { OperatorCounts } from "../src/inference/traced-session.ts";
import { median } from "./bench-ratios.ts";
import type { Machine } from "./bench-report.ts";
import { createLatencies } from "./latency.ts";

/** What `npm run loadtest:providers` measured. */
export interface ProvidersReport {
  readonly cases: readonly ProviderCase[];
  /** Sentences on the providers that did not take part. */
  readonly leftOut: readonly string[];
  /** Items of the table that candidates are drawn from, the rows of a split model's slab. */
  readonly items: number;
  readonly machine: Machine;
  readonly at: string;
}

/** One model in one of its forms. */
export interface ProviderCase {
  readonly model: string;
  readonly graphs: "one graph" | "two graphs";
  readonly figures: readonly ProviderFigure[];
  /** For each provider but the CPU's: who ran how many of the operators. */
  readonly operators: Readonly<Partial<Record<ExecutionProvider, OperatorCounts>>>;
}

export interface ProviderFigure {
  readonly rows: number;
  readonly requests: number;
  readonly provider: ExecutionProvider;
  readonly runs: number;
  /** Of a run, as its worker measured it: tensors made, sent there, computed and brought back. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Of runs one after the other, with nothing in between. */
  readonly candidatesPerSecond: number;
  /** The CPU's median over this one's, of the same round; the median over the rounds. */
  readonly speedOverCpu: number;
  /** The largest difference of a probability from the CPU's. */
  readonly differenceMax: number;
}

/** What one provider took for one number of rows: the times of each round's runs, ms. */
export interface ProviderTimes {
  readonly provider: ExecutionProvider;
  readonly rounds: readonly (readonly number[])[];
  readonly differenceMax: number;
}

/** @param all of one number of rows, the CPU's among them. */
export function providerFigures(
  rows: number,
  requests: number,
  all: readonly ProviderTimes[],
): readonly ProviderFigure[] {
  const cpu = (all.find(({ provider }) => provider === "cpu")?.rounds ?? []).map(median);
  return all.map(({ provider, rounds, differenceMax }) => {
    const times = rounds.flat();
    const latencies = createLatencies();
    for (const time of times) latencies.record(time);
    return {
      rows,
      requests,
      provider,
      runs: times.length,
      medianMs: median(times),
      p99Ms: latencies.at(99),
      candidatesPerSecond: (1_000 * rows * times.length) / times.reduce((sum, time) => sum + time, 0),
      speedOverCpu: median(rounds.map((round, place) => (cpu[place] ?? Number.NaN) / median(round))),
      differenceMax,
    };
  });
}

export function formatProviders({ cases, leftOut, items, machine }: ProvidersReport): string {
  const { cpu, threads, node } = machine;
  return `${cases.map(formatCase).join("")}${leftOut.map((sentence) => `${sentence}\n`).join("")}One worker, one run at a time; the CPU's runs have one thread. Candidates of ${items} items; ${cpu}, ${threads} hardware threads, Node ${node}.
`;
}

function formatCase({ model, graphs, figures, operators }: ProviderCase): string {
  const table = new Table({
    head: ["rows", "requests", "", "median ms", "p99 ms", "candidates/s", "over cpu", "difference"],
    colAligns: ["right", "right", "left", "right", "right", "right", "right", "right"],
    style: { head: [], border: [], compact: true },
  });
  for (const figure of figures) {
    table.push([
      figure.rows,
      figure.requests,
      figure.provider,
      figure.medianMs.toFixed(3),
      figure.p99Ms.toFixed(3),
      figure.candidatesPerSecond.toFixed(0),
      figure.speedOverCpu.toFixed(3),
      figure.differenceMax.toExponential(1),
    ]);
  }
  const ran = Object.entries(operators).map(([provider, counts]) => {
    const each = Object.entries(counts).map(([where, count]) => `${count} on ${where}`);
    return `operators with ${provider}: ${each.join(", ")}\n`;
  });
  return `${model}, ${graphs}\n${table}\n${ran.join("")}\n`;
}
