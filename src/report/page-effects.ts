/** Effects with their intervals, one row each around zero: a forest plot. */
import { dot, ruleX, ruleY, text } from "@observablehq/plot";
import { percent, shortened, signed } from "../analysis/format.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { Content, PageBuilder, PageElement } from "./page-elements.ts";

export interface EffectRow {
  readonly name: string;
  readonly interval: Interval;
  readonly colour: string;
  /** The same effect by another way, thinner and below. */
  readonly also?: Interval;
}

export interface EffectScale {
  readonly label: string;
  readonly relative: boolean;
}

const rowHeight = 44;
const nameMax = 26;

/** Each row's name and numbers stand above its line, so that a phone has them too. */
export function effectsChart(
  page: PageBuilder,
  label: string,
  rows: readonly EffectRow[],
  scale: EffectScale,
  ...caption: Content[]
): PageElement {
  const show = scale.relative ? percent : signed;
  const shown = rows.map((row, at) => ({
    ...row,
    at,
    words: `${shortened(row.name, nameMax)}   ${show(row.interval.estimate)} (${show(row.interval.ciLow)} to ${show(row.interval.ciHigh)})`,
  }));
  const also = shown.flatMap(({ also, at, colour }) => (also === undefined ? [] : [{ ...also, at, colour }]));
  const reach = [...rows.map(({ interval }) => interval), ...also].flatMap(({ ciLow, ciHigh }) => [
    ciLow,
    ciHigh,
  ]);
  return page.chart(
    label,
    {
      height: rows.length * rowHeight + 54,
      marginLeft: 16,
      marginTop: 8,
      y: { domain: [-0.65, rows.length - 0.65], reverse: true, axis: null },
      x: {
        domain: [Math.min(0, ...reach), Math.max(0, ...reach)],
        nice: true,
        label: scale.label,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 5,
        tickFormat: (value: number) =>
          value === 0 ? "0" : scale.relative ? shortPercent(value) : signed(value),
        grid: true,
      },
      marks: [
        ruleX([0], { stroke: "var(--ink)" }),
        ruleY(shown, {
          y: "at",
          x1: (row) => row.interval.ciLow,
          x2: (row) => row.interval.ciHigh,
          stroke: "colour",
          strokeWidth: 4,
        }),
        dot(shown, { y: "at", x: (row) => row.interval.estimate, fill: "colour", r: 6 }),
        ruleY(also, {
          y: (row) => row.at + 0.2,
          x1: "ciLow",
          x2: "ciHigh",
          stroke: "colour",
          strokeWidth: 1.5,
        }),
        dot(also, { y: (row) => row.at + 0.2, x: "estimate", stroke: "colour", fill: "var(--card)", r: 3 }),
        text(shown, {
          y: "at",
          dy: -15,
          text: "words",
          frameAnchor: "left",
          fill: "var(--ink)",
          stroke: "var(--card)",
          strokeWidth: 4,
        }),
      ],
    },
    ...caption,
  );
}

/** `+5 %`, for a tick. */
function shortPercent(share: number): string {
  return `${share > 0 ? "+" : share < 0 ? "−" : ""}${Number(Math.abs(share * 100).toPrecision(3))} %`;
}
