/** Effects with their intervals, one row each around zero: a forest plot. */
import { dot, ruleX, ruleY, text } from "@observablehq/plot";
import { percent, shortened, signed } from "../domain/number-text.ts";
import type { Interval } from "../statistics/statistics.ts";
import { reachOf } from "./interval-bar.ts";
import type { ChartOptions, Content, PageBuilder, PageElement } from "./page-elements.ts";

export interface EffectRow {
  readonly name: string;
  /** Finite. */
  readonly interval: Interval;
  readonly colour: string;
  /** The same effect by another way, thinner and below. */
  readonly also?: Interval;
}

export interface EffectScale {
  readonly label: string;
  readonly relative: boolean;
}

/** An interval that can be drawn. */
export function finite(interval: Interval | null | undefined): Interval | null {
  if (!interval) return null;
  const { estimate, ciLow, ciHigh } = interval;
  return [estimate, ciLow, ciHigh].every(Number.isFinite) ? interval : null;
}

const rowHeight = 44;
const nameMax = 26;

/** Of a row, above and below its line: as far as the words leave free. */
const zeroReach = 0.17;

/** More rows than these stand in two columns, and need a panel as wide as two. */
export const effectRowsMax = 14;

/** Each row's name and numbers stand above its line, so that a phone has them too. */
export function effectsChart(
  page: PageBuilder,
  label: string,
  rows: readonly EffectRow[],
  scale: EffectScale,
  ...caption: Content[]
): PageElement {
  const domain = domainOf(rows);
  const isCut = rows.some(({ interval }) => interval.ciLow < domain[0] || interval.ciHigh > domain[1]);
  const words = [...caption, isCut ? " A triangle: the interval goes on beyond the frame." : null];
  if (rows.length <= effectRowsMax) return page.chart(label, optionsOf(rows, scale, domain), ...words);
  const half = Math.ceil(rows.length / 2);
  return page.element(
    "div",
    {},
    page.element(
      "div",
      { class: "panels" },
      page.chart(label, optionsOf(rows.slice(0, half), scale, domain)),
      page.chart(`${label}, continued`, optionsOf(rows.slice(half), scale, domain)),
    ),
    page.element("p", { class: "faint" }, ...words),
  );
}

/** With zero, and without the ends that would make dots of all other intervals. */
function domainOf(rows: readonly EffectRow[]): readonly [low: number, high: number] {
  const intervals = rows.flatMap(({ interval, also }) =>
    also === undefined ? [interval] : [interval, also],
  );
  const reach = reachOf(intervals);
  const low = Math.max(-reach, Math.min(0, ...intervals.map(({ ciLow }) => ciLow)));
  const high = Math.min(reach, Math.max(0, ...intervals.map(({ ciHigh }) => ciHigh)));
  return low === high ? [-1, 1] : [low, high];
}

function optionsOf(
  rows: readonly EffectRow[],
  scale: EffectScale,
  [low, high]: readonly [number, number],
): ChartOptions {
  const show = scale.relative ? percent : signed;
  const within = (value: number): number => Math.max(low, Math.min(high, value));
  const shown = rows.map(({ name, interval, colour }, at) => ({
    ...{ at, colour, estimate: interval.estimate },
    ...{ from: within(interval.ciLow), to: within(interval.ciHigh) },
    ...{ isCutLow: interval.ciLow < low, isCutHigh: interval.ciHigh > high },
    words: `${shortened(name, nameMax)}   ${show(interval.estimate)} (${show(interval.ciLow)} to ${show(interval.ciHigh)})`,
  }));
  const also = rows.flatMap(({ also, colour }, at) =>
    also === undefined
      ? []
      : [{ at, colour, estimate: also.estimate, from: within(also.ciLow), to: within(also.ciHigh) }],
  );
  const isWithin = ({ estimate }: { readonly estimate: number }): boolean => estimate === within(estimate);
  const beyond = { y: "at", fill: "colour", symbol: "triangle", r: 6 } as const;
  return {
    height: rows.length * rowHeight + 54,
    marginLeft: 16,
    marginTop: 8,
    y: { domain: [-0.65, rows.length - 0.65], reverse: true, axis: null },
    x: {
      domain: [low, high],
      nice: true,
      label: scale.label,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 5,
      tickFormat: (value: number) =>
        scale.relative ? shortPercent(value) : value === 0 ? "0" : signed(value),
      grid: true,
    },
    marks: [
      // Zero stands beside each line alone: through the words above it, it would strike them out.
      ruleX(shown, {
        x: 0,
        y1: ({ at }) => at - zeroReach,
        y2: ({ at }) => at + zeroReach,
        stroke: "var(--ink)",
      }),
      ruleY(shown, { y: "at", x1: "from", x2: "to", stroke: "colour", strokeWidth: 4 }),
      dot(shown.filter(isWithin), { y: "at", x: "estimate", fill: "colour", r: 6 }),
      dot(
        shown.filter(({ isCutLow }) => isCutLow),
        { ...beyond, x: low, rotate: -90 },
      ),
      dot(
        shown.filter(({ isCutHigh }) => isCutHigh),
        { ...beyond, x: high, rotate: 90 },
      ),
      ruleY(also, {
        y: (row) => row.at + 0.2,
        x1: "from",
        x2: "to",
        stroke: "colour",
        strokeWidth: 1.5,
      }),
      dot(also.filter(isWithin), {
        y: (row) => row.at + 0.2,
        x: "estimate",
        stroke: "colour",
        fill: "var(--card)",
        r: 3,
      }),
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
  };
}

/** `+5 %`, for a tick. */
export function shortPercent(share: number): string {
  if (share === 0) return "0";
  return `${share > 0 ? "+" : share < 0 ? "−" : ""}${Number(Math.abs(share * 100).toPrecision(3))} %`;
}
