/** What a faster or cheaper arm costs in quality: each arm's lift with its interval, against latency and against cost. */
import { dot, ruleX, ruleY, text } from "@observablehq/plot";
import type { AnalysisReport, TradeoffPoint, TradeoffReport } from "../analysis/analysis.ts";
import { amount, shortened } from "../domain/number-text.ts";
import type { Interval } from "../statistics/statistics.ts";
import { armColour } from "./page-arms.ts";
import { finite, shortPercent } from "./page-effects.ts";
import { chartWidth, type PageBuilder, type PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";
import { type Placed, placedLabels } from "./placed-labels.ts";

/** Null where no arm has both a quality and a latency or cost. */
export function tradeoffPanel(page: PageBuilder, report: AnalysisReport): PageElement | null {
  const { tradeoff } = report;
  if (tradeoff === undefined) return null;
  const quality = qualityOf(report, tradeoff);
  const cost = `cost of an impression (${tradeoff.costUnit})`;
  const charts = [
    chartOf(page, report, quality, "latency, ms", ({ latencyMs }) => latencyMs),
    chartOf(page, report, quality, cost, ({ cost }) => cost),
  ].filter((chart) => chart !== null);
  if (charts.length === 0) return null;
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "Quality, latency, cost"),
    page.element("p", {}, tradeoff.verdict ?? report.verdict.sentence),
    page.element("div", { class: "panels" }, ...charts),
    page.element(
      "p",
      { class: "faint" },
      "Up and to the left is better. ",
      quality.relative ? "Bars: the lift's interval against the arm at 0. " : null,
      quality.margin === null ? null : "Dashed: the margin that an arm must keep. ",
      methodLink(page, "a distilled ranker's verdict", "How the verdict is made"),
      ".",
    ),
  );
}

interface Quality {
  readonly label: string;
  readonly relative: boolean;
  /** A share of control's value, the good side being up; null where none was declared. */
  readonly margin: number | null;
  readonly points: readonly (TradeoffPoint & { readonly interval: Interval })[];
}

/** Lifts of the metric that is the quality, turned so that up is better; its values where no arm has a lift. */
function qualityOf(
  report: AnalysisReport,
  { metric, points }: Pick<TradeoffReport, "metric" | "points">,
): Quality {
  const primary = report.metrics.find((one) => one.metric === metric);
  const name = shortened(primary?.metric ?? "quality", 28);
  const comparisons = primary?.comparisons ?? [];
  const isLess = primary?.goal === "decrease";
  const control = comparisons[0]?.versus;
  const lifts = points.flatMap((point) => {
    const lift = finite(comparisons.find(({ arm }) => arm === point.arm)?.relative);
    if (lift !== null) return [{ ...point, interval: isLess ? turned(lift) : lift }];
    return point.arm === control ? [{ ...point, interval: { estimate: 0, ciLow: 0, ciHigh: 0 } }] : [];
  });
  if (lifts.length > 1) {
    const value = primary?.arms.find(({ arm }) => arm === control)?.mean ?? null;
    const margin = comparisons.find(({ notWorse }) => notWorse)?.notWorse?.margin;
    const share = margin === undefined || !value ? null : -Math.abs(margin / value);
    return {
      label: `lift of ${name}${isLess ? ", less being up" : ""}`,
      relative: true,
      margin: share,
      points: lifts,
    };
  }
  const values = points.flatMap((point) => {
    const { quality } = point;
    if (quality === null || !Number.isFinite(quality)) return [];
    return [{ ...point, interval: { estimate: quality, ciLow: quality, ciHigh: quality } }];
  });
  return { label: name, relative: false, margin: null, points: values };
}

function turned({ estimate, ciLow, ciHigh }: Interval): Interval {
  return { estimate: -estimate, ciLow: -ciHigh, ciHigh: -ciLow };
}

const height = 280;
const margins = { marginLeft: 64, marginRight: 20, marginTop: 30, marginBottom: 46 };

function chartOf(
  page: PageBuilder,
  report: AnalysisReport,
  { label: qualityLabel, relative, margin, points }: Quality,
  label: string,
  placeOf: (point: TradeoffPoint) => number | null,
): PageElement | null {
  const shown = points.flatMap(({ arm, interval, ...point }) => {
    const x = placeOf({ arm, ...point });
    if (x === null || !Number.isFinite(x)) return [];
    return [{ x, ...interval, colour: armColour(report, arm), name: shortened(arm, 18) }];
  });
  if (shown.length === 0) return null;
  const xs = frameOf([0, ...shown.map(({ x }) => x)]);
  const zero = relative ? [0] : [];
  const ys = frameOf([
    ...zero,
    ...(margin === null ? [] : [margin]),
    ...shown.flatMap(({ ciLow, ciHigh }) => [ciLow, ciHigh]),
  ]);
  const frame = {
    left: margins.marginLeft,
    right: chartWidth - margins.marginRight,
    top: margins.marginTop,
    bottom: height - margins.marginBottom,
  };
  const labels = placedLabels(
    shown.map(({ x, estimate, name }) => ({
      text: name,
      x: frame.left + ((x - xs[0]) / (xs[1] - xs[0])) * (frame.right - frame.left),
      y: frame.bottom - ((estimate - ys[0]) / (ys[1] - ys[0])) * (frame.bottom - frame.top),
    })),
    frame,
  );
  return page.chart(`${qualityLabel} against ${label}`, {
    height,
    ...margins,
    x: { domain: xs, label, labelAnchor: "center", labelArrow: "none", ticks: 5, grid: true },
    y: {
      domain: ys,
      label: qualityLabel,
      labelArrow: "none",
      ticks: 5,
      grid: true,
      tickFormat: (value: number) => (relative ? shortPercent(value) : amount(value)),
    },
    marks: [
      ruleY(zero, { stroke: "var(--ink)" }),
      ruleY(margin === null ? [] : [margin], { stroke: "var(--bad)", strokeDasharray: "5 4" }),
      ruleX(shown, { x: "x", y1: "ciLow", y2: "ciHigh", stroke: "colour", strokeWidth: 3 }),
      dot(shown, { x: "x", y: "estimate", fill: "colour", r: 7, stroke: "var(--card)" }),
      ...labels.map((one, i) => labelMark(one, shown[i]?.colour ?? "var(--ink)")),
    ],
  });
}

/** Where it was placed, in the drawing's own units, and of its point's colour: where points are close, a name is not. */
function labelMark({ text: words, x, y, anchor }: Placed, colour: string) {
  return text([words], {
    ...{ frameAnchor: "top-left", dx: x - margins.marginLeft, dy: y - margins.marginTop },
    ...{ textAnchor: anchor, lineAnchor: "middle" },
    ...{ fill: colour, stroke: "var(--card)", strokeWidth: 4 },
  } as const);
}

/** A little wider than what it holds. */
function frameOf(values: readonly number[]): [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.08 * (high - low) || Math.abs(high) || 1;
  return [low === 0 ? low : low - room, high + room];
}
