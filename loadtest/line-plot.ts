/** A small line chart as an SVG text: scales and paths from d3, no browser. */
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface LinePlot {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly label: string;
  readonly scale: "linear" | "log";
  /** Places and words of the ticks; the scale's own where undefined. */
  readonly ticks?: readonly { readonly at: number; readonly text: string }[];
  /** A linear axis starts at 0 unless this says otherwise. */
  readonly from?: number;
}

const width = 760;
const height = 440;
const margin = { top: 64, right: 150, bottom: 54, left: 72 };
/** Okabe and Ito's palette: told apart with any colour vision. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

export function drawLinePlot(plot: LinePlot): string {
  const xs = plot.series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = plot.series.flatMap(({ points }) => points.map(([, y]) => y));
  const x = scaleOf(plot.x, xs, [margin.left, width - margin.right]);
  const y = scaleOf(plot.y, ys, [height - margin.bottom, margin.top]);
  const path = line<readonly [number, number]>()
    .x(([at]) => x(at))
    .y(([, value]) => y(value));
  const curves = plot.series.map(({ name, points }, i) => {
    const colour = colours[i % colours.length];
    const end = points.at(-1) ?? [0, 0];
    return `<path d="${path(points) ?? ""}" fill="none" stroke="${colour}" stroke-width="2"/>
<text x="${round(x(end[0]) + 6)}" y="${round(y(end[1]) + 4)}" fill="${colour}">${escaped(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${margin.left}" y="26" font-size="16" font-weight="600">${escaped(plot.title)}</text>
<text x="${margin.left}" y="46" fill="#555555">${escaped(plot.subtitle ?? "")}</text>
${ticksOf(plot.x, x)
  .map((tick) => xTick(x(tick.at), tick.text))
  .join("\n")}
${ticksOf(plot.y, y)
  .map((tick) => yTick(y(tick.at), tick.text))
  .join("\n")}
<text x="${(margin.left + width - margin.right) / 2}" y="${height - 12}" text-anchor="middle">${escaped(plot.x.label)}</text>
<text transform="translate(18 ${(margin.top + height - margin.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(plot.y.label)}</text>
${curves.join("\n")}
</svg>
`;
}

type Scale = ReturnType<typeof scaleLinear<number, number>> | ReturnType<typeof scaleLog<number, number>>;

function scaleOf(axis: Axis, values: readonly number[], range: [number, number]): Scale {
  const ticks = axis.ticks?.map(({ at }) => at) ?? [];
  const all = [...values, ...ticks];
  if (axis.scale === "log") {
    const positive = all.filter((value) => value > 0);
    return scaleLog([Math.min(...positive), Math.max(...positive)], range).clamp(true);
  }
  return scaleLinear([axis.from ?? 0, Math.max(...all)], range).nice();
}

function ticksOf(axis: Axis, scale: Scale): readonly { at: number; text: string }[] {
  if (axis.ticks !== undefined) return axis.ticks;
  const format = scale.tickFormat(8, axis.scale === "log" ? "~g" : undefined);
  return scale.ticks(8).map((at) => ({ at, text: format(at) }));
}

function xTick(at: number, text: string): string {
  return `<line x1="${round(at)}" x2="${round(at)}" y1="${margin.top}" y2="${height - margin.bottom}" stroke="#e5e5e5"/><text x="${round(at)}" y="${height - margin.bottom + 18}" text-anchor="middle" fill="#555555">${escaped(text)}</text>`;
}

function yTick(at: number, text: string): string {
  return `<line x1="${margin.left}" x2="${width - margin.right}" y1="${round(at)}" y2="${round(at)}" stroke="#e5e5e5"/><text x="${margin.left - 8}" y="${round(at + 4)}" text-anchor="end" fill="#555555">${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
