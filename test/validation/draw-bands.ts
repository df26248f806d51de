/** Every share that should be 5 %, with its binomial band, beside the bar: a picture of the tables. */
import { axisX, dot, gridX, plot, rect, ruleY } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Result } from "./page.ts";
import { type Bar, bandOf, type Count, fivePercent, isKept } from "./scenario.ts";

interface Line {
  readonly name: string;
  readonly low: number;
  readonly share: number;
  readonly high: number;
  readonly kept: boolean;
  /** Whether the bar also asks that it be no less. */
  readonly both: boolean;
}

const level = 0.05;
const nameLength = 112;
/** Okabe and Ito's, told apart with any colour vision. */
const [blue, vermilion] = ["#0072b2", "#d55e00"];

function isOfFivePercent(bar: Bar): boolean {
  return bar.kind === "within" || ("share" in bar && bar.share === level && bar.kind !== "at-least");
}

function linesOf({ scenario, counts }: Result): Line[] {
  return scenario.questions.flatMap(({ name, bar }, i) => {
    if (!isOfFivePercent(bar)) return [];
    const count = counts[i] as Count;
    const [low, high] = bandOf(count);
    const both = bar.kind === "within" || bar.kind === "is";
    const share = count.happened / count.answered;
    const words = scenario.questions.length === 1 ? scenario.what : `${name}: ${scenario.what}`;
    return [{ name: shortened(words), low, share, high, kept: isKept(bar, count) === true, both }];
  });
}

function shortened(words: string): string {
  return words.length <= nameLength ? words : `${words.slice(0, nameLength - 1)}…`;
}

/** An SVG that needs nothing around it. */
export function drawBands(results: readonly Result[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const lines = results.flatMap(linesOf);
  const colour = ({ kept }: Line) => (kept ? blue : vermilion);
  const axis = { tickFormat: (share: number) => `${Math.round(100 * share)} %`, tickSize: 0, label: null };
  const drawing = plot({
    document,
    width: 1_040,
    height: 76 + 17 * lines.length,
    marginLeft: 640,
    marginRight: 24,
    marginTop: 44,
    marginBottom: 24,
    style: { background: "#ffffff", color: "#222222", fontFamily: "system-ui, sans-serif", fontSize: "11px" },
    x: { domain: [0, Math.max(0.1, ...lines.map(({ high }) => high))] },
    y: {
      domain: lines.map((_, i) => i),
      tickFormat: (i: number) => lines[i]?.name,
      tickSize: 0,
      label: null,
    },
    marks: [
      rect([fivePercent], { x1: "low", x2: "high", fill: "#e8eef3" }),
      gridX({ stroke: "#dddddd", strokeOpacity: 1 }),
      axisX({ ...axis, anchor: "top" }),
      axisX(axis),
      ruleY(lines, { y: (_, i) => i, x1: "low", x2: "high", stroke: colour, strokeWidth: 1.5 }),
      dot(lines, {
        y: (_, i) => i,
        x: "share",
        r: 3.5,
        stroke: colour,
        fill: (one: Line) => (one.both ? colour(one) : "#ffffff"),
      }),
    ],
  });
  drawing.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${drawing}\n`;
}
