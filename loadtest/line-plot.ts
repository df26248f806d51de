/** A small line chart as an SVG text: scales and paths from d3, no browser. */
import { scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

export interface Series {
  /** Stands at the line's end; empty where a legend names it. */
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** A place in the palette; the series' own place where undefined. */
  readonly colour?: number;
  /** SVG's dash array; a whole line where undefined. */
  readonly dash?: string;
}

/** A line of a legend; grey where it has no colour and only a dash. */
export interface LegendEntry {
  readonly text: string;
  readonly colour?: number;
  readonly dash?: string;
}

/** Where in the picture a plot's axes stand. */
interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
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
  const frame = {
    left: margin.left,
    right: width - margin.right,
    top: margin.top,
    bottom: height - margin.bottom,
  };
  return picture(height, plot.title, plot.subtitle, axesAndCurves(plot, frame));
}

/** Several plots below each other, each `stackedHeight` high, with one heading and one legend for all. */
export function drawStackedPlots(
  heading: { readonly title: string; readonly subtitle?: string; readonly legend: readonly LegendEntry[] },
  plots: readonly LinePlot[],
): string {
  const panels = plots.map((plot, i) => {
    const top = margin.top + 30 + i * stackedHeight;
    const bottom = top + stackedHeight - margin.bottom - 30;
    const frame = { left: margin.left, right: width - margin.right, top, bottom };
    return `<text x="${margin.left}" y="${top - 10}" font-weight="600">${escaped(plot.title)}</text>
${axesAndCurves(plot, frame)}`;
  });
  const left = width - margin.right + 16;
  const legend = heading.legend.map(({ text, colour, dash }, i) => {
    const y = margin.top + 38 + i * 20;
    return `<line x1="${left}" x2="${left + 28}" y1="${y}" y2="${y}" ${stroke(colour === undefined ? "#555555" : colourAt(colour), dash)}/>
<text x="${left + 36}" y="${y + 4}">${escaped(text)}</text>`;
  });
  return picture(
    margin.top + plots.length * stackedHeight,
    heading.title,
    heading.subtitle,
    [...panels, ...legend].join("\n"),
  );
}

const stackedHeight = 320;

function picture(high: number, title: string, subtitle: string | undefined, inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${high}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${high}" fill="#ffffff"/>
<text x="${margin.left}" y="26" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="${margin.left}" y="46" fill="#555555">${escaped(subtitle ?? "")}</text>
${inside}
</svg>
`;
}

function axesAndCurves(plot: LinePlot, frame: Frame): string {
  const xs = plot.series.flatMap(({ points }) => points.map(([x]) => x));
  const ys = plot.series.flatMap(({ points }) => points.map(([, y]) => y));
  const x = scaleOf(plot.x, xs, [frame.left, frame.right]);
  const y = scaleOf(plot.y, ys, [frame.bottom, frame.top]);
  const path = line<readonly [number, number]>()
    .x(([at]) => x(at))
    .y(([, value]) => y(value));
  const curves = plot.series.map(({ name, points, colour, dash }, i) => {
    const paint = colourAt(colour ?? i);
    const end = points.at(-1) ?? [0, 0];
    return `<path d="${path(points) ?? ""}" fill="none" ${stroke(paint, dash)}/>
<text x="${round(x(end[0]) + 6)}" y="${round(y(end[1]) + 4)}" fill="${paint}">${escaped(name)}</text>`;
  });
  return `${ticksOf(plot.x, x)
    .map((tick) => xTick(x(tick.at), tick.text, frame))
    .join("\n")}
${ticksOf(plot.y, y)
  .map((tick) => yTick(y(tick.at), tick.text, frame))
  .join("\n")}
<text x="${(frame.left + frame.right) / 2}" y="${frame.bottom + 42}" text-anchor="middle">${escaped(plot.x.label)}</text>
<text transform="translate(18 ${(frame.top + frame.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(plot.y.label)}</text>
${curves.join("\n")}`;
}

function colourAt(place: number): string {
  return colours[place % colours.length] as string;
}

function stroke(paint: string, dash: string | undefined): string {
  return `stroke="${paint}" stroke-width="2"${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}`;
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

function xTick(x: number, text: string, { top, bottom }: Frame): string {
  return `<line x1="${round(x)}" x2="${round(x)}" y1="${top}" y2="${bottom}" stroke="#e5e5e5"/><text x="${round(x)}" y="${bottom + 18}" text-anchor="middle" fill="#555555">${escaped(text)}</text>`;
}

function yTick(y: number, text: string, { left, right }: Frame): string {
  return `<line x1="${left}" x2="${right}" y1="${round(y)}" y2="${round(y)}" stroke="#e5e5e5"/><text x="${left - 8}" y="${round(y + 4)}" text-anchor="end" fill="#555555">${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
