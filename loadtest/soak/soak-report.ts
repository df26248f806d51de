import Table from "cli-table3";
import { fitLine } from "../line-fit.ts";
import { drawStackedPlots } from "../line-plot.ts";
import type { LoadReport } from "../load-run.ts";
import { formatErrors } from "../load-table.ts";
import type { ServerLook } from "./server-watch.ts";

/** One minute of the load, and of the server under it. */
export interface SoakMinute extends ServerLook {
  readonly load: LoadReport;
}

/** Of the hour; slopes are least squares over its second half, when caches are full and the heap has settled. */
export interface SoakTrend {
  readonly serverMibPerMinute: number;
  readonly inferenceMibPerMinute: number;
  /** Median p99 of a minute in the first and in the last third, ms. */
  readonly p99Early: number;
  readonly p99Late: number;
  readonly openFilesEarly: number;
  readonly openFilesLate: number;
}

/** MiB a minute that count as flat: 30 MiB an hour, of some 500. */
export const flatMibPerMinute = 0.5;
/** The late p99 over the early one that counts as steady: a machine that others use moves it by a third. */
export const steadyP99Ratio = 1.5;

export function trendOf(minutes: readonly SoakMinute[]): SoakTrend {
  const half = Math.floor(minutes.length / 2);
  const third = Math.ceil(minutes.length / 3);
  const slope = (of: (minute: SoakMinute) => number): number =>
    fitLine(minutes.slice(half).map((minute, index) => [index, of(minute)] as const)).slope;
  const early = minutes.slice(0, third);
  const late = minutes.slice(-third);
  return {
    serverMibPerMinute: slope(({ serverMib }) => serverMib),
    inferenceMibPerMinute: slope(({ inferenceMib }) => inferenceMib),
    p99Early: median(early.map(({ load }) => load.latencyMs.p99)),
    p99Late: median(late.map(({ load }) => load.latencyMs.p99)),
    openFilesEarly: median(early.map(({ openFiles }) => openFiles)),
    openFilesLate: median(late.map(({ openFiles }) => openFiles)),
  };
}

/** A row for every `each` minutes: means, but of p50 and p99 the medians, and of what only peaks the highest. */
export function formatSoak(minutes: readonly SoakMinute[], each: number): string {
  const table = new Table({
    head: [
      ...[
        "minutes",
        "answered/s",
        "p50",
        "p99",
        "worst p99",
        "errors",
        "degraded",
        "server MiB",
        "inference MiB",
      ],
      ...[
        "passing MiB",
        "heap MiB",
        "external MiB",
        "files",
        "loop p99 ms",
        "cores",
        "generator p99",
        "data MiB",
        "waiting",
      ],
    ],
    colAligns: Array.from({ length: 18 }, () => "right" as const),
    style: { head: [], border: [], compact: true },
  });
  for (let start = 0; start < minutes.length; start += each) {
    const some = minutes.slice(start, start + each);
    const mean = (of: (minute: SoakMinute) => number): number => sum(some.map(of)) / some.length;
    const most = (of: (minute: SoakMinute) => number): number => Math.max(...some.map(of));
    table.push([
      `${start + 1} to ${start + some.length}`,
      mean(({ load }) => load.achievedRate).toFixed(0),
      median(some.map(({ load }) => load.latencyMs.p50)).toFixed(1),
      median(some.map(({ load }) => load.latencyMs.p99)).toFixed(1),
      most(({ load }) => load.latencyMs.p99).toFixed(1),
      formatErrors(errorsOf(some.map(({ load }) => load))),
      sum(some.map(({ load }) => load.degraded)),
      mean(({ serverMib }) => serverMib).toFixed(0),
      mean(({ inferenceMib }) => inferenceMib).toFixed(0),
      most(({ passingMib }) => passingMib).toFixed(0),
      mean(({ heapMib }) => heapMib).toFixed(0),
      mean(({ externalMib }) => externalMib).toFixed(0),
      mean(({ openFiles }) => openFiles).toFixed(0),
      most(({ loopLagP99Ms }) => loopLagP99Ms).toFixed(0),
      mean(({ cores }) => cores).toFixed(2),
      most(({ load }) => load.generatorLagMs.p99).toFixed(1),
      mean(({ dataMib }) => dataMib).toFixed(0),
      most(({ segmentsWaiting }) => segmentsWaiting),
    ]);
  }
  return `${table.toString()}\n`;
}

/** Failures by code, of several runs together. */
export function errorsOf(reports: readonly LoadReport[]): Readonly<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const { errors } of reports) {
    for (const [code, count] of Object.entries(errors)) all[code] = (all[code] ?? 0) + count;
  }
  return all;
}

export function drawSoak(minutes: readonly SoakMinute[], subtitle: string): string {
  const points = (of: (minute: SoakMinute) => number): [number, number][] =>
    minutes.map((minute, index) => [index + 1, of(minute)]);
  const x = { label: "minutes", scale: "linear" } as const;
  const series = (colour: number, of: (minute: SoakMinute) => number) => ({
    name: "",
    colour,
    points: points(of),
  });
  return drawStackedPlots(
    {
      title: "A server under mixed load",
      subtitle,
      legend: [
        { text: "server", colour: 0 },
        { text: "inference", colour: 1 },
        { text: "heap", colour: 2 },
        { text: "p99", colour: 3 },
        { text: "p50", colour: 5 },
      ],
    },
    [
      {
        title: "Resident memory",
        x,
        y: { label: "MiB", scale: "linear" },
        series: [
          series(0, ({ serverMib }) => serverMib),
          series(1, ({ inferenceMib }) => inferenceMib),
          series(2, ({ heapMib }) => heapMib),
        ],
      },
      {
        title: "Rank requests, from their intended arrival",
        x,
        y: { label: "ms", scale: "log" },
        series: [series(3, ({ load }) => load.latencyMs.p99), series(5, ({ load }) => load.latencyMs.p50)],
      },
    ],
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}
