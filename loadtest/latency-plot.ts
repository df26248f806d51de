import { type Axis, drawLinePlot } from "./line-plot.ts";

/** Latency by percentile, drawn as HdrHistogram's plots are: each step to the right is ten times rarer. */
export interface LatencyCurve {
  readonly name: string;
  /** `[percentile, ms]`. */
  readonly points: readonly (readonly [number, number])[];
}

const ticks = [0, 50, 90, 99, 99.9, 99.99];

export function drawLatencyPlot(title: string, subtitle: string, curves: readonly LatencyCurve[]): string {
  const x: Axis = {
    label: "percentile of requests",
    scale: "log",
    ticks: ticks.map((percentile) => ({ at: rarity(percentile), text: `${percentile} %` })),
  };
  const series = curves.map(({ name, points }) => ({
    name,
    points: points.map(([percentile, ms]) => [rarity(percentile), Math.max(ms, 0.001)] as const),
  }));
  return drawLinePlot({ title, subtitle, x, y: { label: "latency, ms", scale: "log" }, series });
}

/** One request in so many is slower. */
function rarity(percentile: number): number {
  return 100 / (100 - percentile);
}
