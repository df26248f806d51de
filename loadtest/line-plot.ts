/** A line chart as an SVG text, drawn by Observable Plot on a DOM of its own: no browser. */
import { line, plot, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";

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
const headingHeight = 60;
const panelHeight = 380;
const panelTitleHeight = 24;
/** Names at the lines' ends, or the legend. */
const marginRight = 150;
const marginLeft = 72;
/** Okabe and Ito's palette: told apart with any colour vision. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

export function drawLinePlot(drawn: LinePlot): string {
  return picture(headingHeight + panelHeight, drawn, [panelOf(drawn, headingHeight)]);
}

/** Several plots below each other, with one heading and one legend for all. */
export function drawStackedPlots(
  heading: { readonly title: string; readonly subtitle?: string; readonly legend: readonly LegendEntry[] },
  plots: readonly LinePlot[],
): string {
  const step = panelTitleHeight + panelHeight;
  const panels = plots.flatMap((drawn, i) => {
    const top = headingHeight + i * step + panelTitleHeight;
    return [
      `<text x="${marginLeft}" y="${top - 8}" font-weight="600">${escaped(drawn.title)}</text>`,
      panelOf(drawn, top),
    ];
  });
  const left = width - marginRight + 16;
  const legend = heading.legend.map(({ text: words, colour, dash }, i) => {
    const y = headingHeight + panelTitleHeight + 20 + i * 20;
    const paint = colour === undefined ? "#555555" : colourAt(colour);
    return `<line x1="${left}" x2="${left + 28}" y1="${y}" y2="${y}" stroke="${paint}" stroke-width="2"${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}/>
<text x="${left + 36}" y="${y + 4}">${escaped(words)}</text>`;
  });
  return picture(headingHeight + plots.length * step, heading, [...panels, ...legend]);
}

function picture(
  height: number,
  { title, subtitle }: { readonly title: string; readonly subtitle?: string },
  inside: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="${marginLeft}" y="26" font-size="16" font-weight="600">${escaped(title)}</text>
<text x="${marginLeft}" y="46" fill="#555555">${escaped(subtitle ?? "")}</text>
${inside.join("\n")}
</svg>
`;
}

/** Axes and lines of one plot, as an SVG within the picture's. */
function panelOf({ x, y, series }: LinePlot, top: number): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawing = plot({
    document,
    className: "plot",
    width,
    height: panelHeight,
    marginLeft,
    marginRight,
    marginBottom: 46,
    style: { fontSize: "12px", fontFamily: "system-ui, sans-serif", overflow: "visible" },
    x: axisOf(x, 0, series),
    y: axisOf(y, 1, series),
    marks: series.flatMap(({ name, points, colour, dash }, i) => {
      const paint = colourAt(colour ?? i);
      return [
        line(points, {
          stroke: paint,
          strokeWidth: 2,
          ...(dash === undefined ? {} : { strokeDasharray: dash }),
        }),
        text(points.slice(-1), { text: () => name, fill: paint, textAnchor: "start", dx: 6 }),
      ];
    }),
  }) as unknown as { setAttribute(name: string, value: string): void; toString(): string };
  drawing.setAttribute("y", `${top}`);
  return drawing.toString();
}

function axisOf({ label, scale, ticks, from }: Axis, at: 0 | 1, series: readonly Series[]): object {
  const domain =
    from === undefined
      ? { zero: scale === "linear" }
      : { domain: [from, Math.max(...series.flatMap(({ points }) => points.map((point) => point[at])))] };
  const words = new Map(ticks?.map(({ at, text: word }) => [at, word]));
  return {
    label,
    labelArrow: "none",
    labelAnchor: "center",
    ...(at === 1 ? { labelOffset: 60 } : {}),
    grid: true,
    type: scale,
    clamp: scale === "log",
    nice: scale === "linear",
    ...domain,
    ...(ticks === undefined
      ? {}
      : { ticks: [...words.keys()], tickFormat: (at: number) => words.get(at) ?? "" }),
  };
}

function colourAt(place: number): string {
  return colours[place % colours.length] as string;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
