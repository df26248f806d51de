import Table from "cli-table3";
import type { Machine } from "./bench-report.ts";
import { type ServerName, serverNames } from "./bench-scenarios.ts";
import { drawStackedPlots, type LegendEntry, type Series } from "./line-plot.ts";
import type { CurveStep, LoadCurve } from "./load-curve.ts";

/** What `npm run loadtest:curve -- --json FILE` saves. */
export interface CurveReport {
  readonly curves: readonly LoadCurve[];
  readonly candidates: number;
  readonly limit: number;
  readonly secondsAStep: number;
  readonly leftOut: readonly string[];
  readonly machine: Machine;
}

export function formatCurves({ curves, leftOut, machine }: CurveReport): string {
  const table = new Table({
    head: [
      "",
      "offered/s",
      "achieved/s",
      "goodput/s",
      "with degraded",
      "p50",
      "p95",
      "p99",
      "failed",
      "degraded",
      "lag p99",
    ],
    colAligns: ["left", ...Array.from({ length: 10 }, () => "right" as const)],
    style: { head: [], border: [], compact: true },
  });
  for (const { server, steps } of curves) {
    for (const step of steps) {
      table.push([
        serverNames[server],
        ...[step.offeredRate, step.achievedRate, step.goodRate, step.timelyRate].map((rate) =>
          rate.toFixed(0),
        ),
        ...[step.p50Ms, step.p95Ms, step.p99Ms].map((ms) => ms.toFixed(2)),
        step.failed,
        step.degraded,
        step.lagP99Ms.toFixed(2),
      ]);
    }
  }
  const sentences = [...curves.map(summaryOf), ...leftOut];
  return `${table.toString()}
${sentences.join("\n")}
goodput: whole answers within 50 ms of their scheduled arrival, and with degraded ones; sustained: p99 within 50 ms and 99 % achieved.
${machine.cpu}, ${machine.threads} hardware threads, Node ${machine.node}; generator and server share them.
`;
}

function summaryOf({ server, highestSustainedRate, half }: LoadCurve): string {
  const name = serverNames[server];
  if (highestSustainedRate === null || half === null) return `${name}: no step was sustained`;
  return `${name}: ${highestSustainedRate.toFixed(0)}/s sustained; at half of it, ${half.offeredRate.toFixed(0)}/s, p50 ${half.p50Ms.toFixed(2)} ms, p99 ${half.p99Ms.toFixed(2)} ms, p99 / p50 ${half.tailRatio.toFixed(1)}`;
}

/** One colour a server, whoever else takes part. */
const places: readonly ServerName[] = ["setlist", "plain", "fastapi"];

/** p95 above; below goodput with what is degraded. */
const longDash = "6 4";

const percentiles = [
  { name: "p50", of: (step: CurveStep) => step.p50Ms, dash: undefined },
  { name: "p95", of: (step: CurveStep) => step.p95Ms, dash: longDash },
  { name: "p99", of: (step: CurveStep) => step.p99Ms, dash: "1.5 4" },
] as const;

const rateTicks = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
const msTicks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

/** Latency above, goodput below, against the same offered rates; every server in both. */
export function drawCurves({ curves, candidates, limit, machine }: CurveReport): string {
  const rates = curves.flatMap(({ steps }) => steps.map(({ offeredRate }) => offeredRate));
  const latencies = curves.flatMap(({ steps }) =>
    steps.filter(isAnswered).flatMap(({ p50Ms, p99Ms }) => [p50Ms, p99Ms]),
  );
  const x = {
    label: "offered requests a second",
    scale: "log",
    ticks: ticksWithin(rateTicks, rates),
  } as const;
  const latencySeries = curves.flatMap(({ server, steps }) =>
    percentiles.map(
      ({ of, dash }): Series => ({
        name: "",
        colour: places.indexOf(server),
        ...(dash === undefined ? {} : { dash }),
        points: steps.filter(isAnswered).map((step) => [step.offeredRate, of(step)]),
      }),
    ),
  );
  const goodputSeries = curves.flatMap(({ server, steps }): Series[] => {
    const line = (of: (step: CurveStep) => number) => ({
      name: "",
      colour: places.indexOf(server),
      points: steps.map((step) => [step.offeredRate, of(step)] as const),
    });
    return [
      line(({ goodRate }) => goodRate),
      // Only Setlist degrades; where nobody does, the dashes lie on the line.
      { ...line(({ timelyRate }) => timelyRate), dash: longDash },
    ];
  });
  const legend: LegendEntry[] = curves.map(({ server }) => ({
    text: serverNames[server],
    colour: places.indexOf(server),
  }));
  for (const { name, dash } of percentiles) legend.push({ text: name, ...(dash ? { dash } : {}) });
  return drawStackedPlots(
    {
      title: "Latency and goodput against load",
      subtitle: `HTTP, ${candidates} candidates, ${limit} shown, Poisson arrivals; ${machine.cpu}, ${machine.threads} hardware threads, shared with the generator`,
      legend,
    },
    [
      {
        title: "Latency from the scheduled arrival",
        x,
        y: { label: "ms", scale: "log", ticks: ticksWithin(msTicks, latencies) },
        series: latencySeries,
      },
      {
        title: "Goodput: answers within 50 ms; whole ones, and dashed with degraded ones",
        x,
        y: { label: "answers a second", scale: "linear" },
        series: goodputSeries,
      },
    ],
  );
}

/** A step of which nothing was answered has no latency. */
function isAnswered({ failed, scheduled }: CurveStep): boolean {
  return failed < scheduled;
}

/** The ticks between the least and the greatest value, and the next one on both sides. */
function ticksWithin(ticks: readonly number[], values: readonly number[]): { at: number; text: string }[] {
  const least = Math.min(...values);
  const greatest = Math.max(...values);
  const first = ticks.findLastIndex((tick) => tick <= least);
  const last = ticks.findIndex((tick) => tick >= greatest);
  return ticks
    .slice(Math.max(0, first), last === -1 ? undefined : last + 1)
    .map((at) => ({ at, text: at.toLocaleString("en-US") }));
}
