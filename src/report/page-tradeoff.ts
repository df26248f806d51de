/** What a faster or cheaper arm costs in quality: one point an arm, against latency and against cost. */
import { dot, text } from "@observablehq/plot";
import type { AnalysisReport, TradeoffPoint } from "../analysis/analysis.ts";
import { shortened } from "../analysis/format.ts";
import { armColour } from "./page-arms.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function tradeoffPanel(page: PageBuilder, report: AnalysisReport): PageElement | null {
  const { tradeoff } = report;
  if (tradeoff === undefined || tradeoff === null) return null;
  const charts = [
    chartOf(page, report, tradeoff.points, "latency, ms", ({ latencyMs }) => latencyMs),
    chartOf(page, report, tradeoff.points, "cost of an impression", ({ cost }) => cost),
  ].filter((chart) => chart !== null);
  if (charts.length === 0) return null;
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "Quality, latency, cost"),
    tradeoff.verdict === null ? null : page.element("p", {}, tradeoff.verdict),
    page.element("div", { class: "panels" }, ...charts),
    page.element(
      "p",
      { class: "faint" },
      "Up and to the left is better. ",
      methodLink(page, "a distilled ranker's verdict"),
      ".",
    ),
  );
}

function chartOf(
  page: PageBuilder,
  report: AnalysisReport,
  points: readonly TradeoffPoint[],
  label: string,
  placeOf: (point: TradeoffPoint) => number | null,
): PageElement | null {
  const shown = points.flatMap((point) => {
    const x = placeOf(point);
    if (x === null || point.quality === null) return [];
    const colour = armColour(report, point.arm);
    return [{ x, y: point.quality, colour, name: shortened(point.arm, 18) }];
  });
  if (shown.length === 0) return null;
  // Above or below where the next one is near; to the inside of the frame.
  const middle = (Math.min(...shown.map(({ x }) => x)) + Math.max(...shown.map(({ x }) => x))) / 2;
  const left = shown.filter(({ x }) => x <= middle);
  const right = shown.filter(({ x }) => x > middle);
  const quality = report.metrics.find(({ role }) => role === "primary")?.metric ?? "quality";
  return page.chart(`Quality against ${label}`, {
    height: 240,
    inset: 24,
    x: { label, labelAnchor: "center", labelArrow: "none", zero: true, ticks: 5, grid: true },
    y: { label: shortened(quality, 30), labelArrow: "none", ticks: 5, grid: true, tickFormat: "~g" },
    marks: [
      dot(shown, { x: "x", y: "y", fill: "colour", r: 7 }),
      text(left, { x: "x", y: "y", text: "name", dx: 12, textAnchor: "start", fill: "var(--ink)" }),
      text(right, { x: "x", y: "y", text: "name", dx: -12, textAnchor: "end", fill: "var(--ink)" }),
    ],
  });
}
