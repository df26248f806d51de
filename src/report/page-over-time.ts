/** How the difference came about, day by day, in the band that may be looked at on each of them. */
import { areaY, dot, lineY, ruleY } from "@observablehq/plot";
import type { AnalysisReport, EffectOverTime, EffectPoint } from "../analysis/analysis.ts";
import { level } from "../analysis/format.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function overTimePanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  return (report.overTime ?? []).map((one) =>
    page.element(
      "section",
      { class: "panel" },
      page.element("h2", {}, `${one.metric}, ${one.arm}: the difference so far`),
      chartOf(page, one, report.alpha),
    ),
  );
}

function chartOf(page: PageBuilder, { metric, arm, points }: EffectOverTime, alpha: number): PageElement {
  const shown = points.map((point) => ({ ...point, at: new Date(`${point.day}T00:00:00Z`) }));
  const frame = frameOf(points);
  const cut = points.flatMap(endsOf).some((end) => end < frame[0] || end > frame[1]);
  return page.chart(
    `Cumulative difference of ${arm} on ${metric}, by day`,
    {
      height: 280,
      clip: true,
      insetLeft: 8,
      insetRight: 8,
      x: { type: "utc", label: null, ticks: Math.min(5, points.length) },
      y: {
        domain: frame,
        label: "difference",
        labelArrow: "none",
        grid: true,
        tickFormat: "~g",
        ticks: 6,
      },
      marks: [
        areaY(shown, {
          x: "at",
          y1: "alwaysValidLow",
          y2: "alwaysValidHigh",
          fill: "var(--band)",
          fillOpacity: 0.16,
        }),
        areaY(shown, { x: "at", y1: "ciLow", y2: "ciHigh", fill: "var(--band)", fillOpacity: 0.28 }),
        ruleY([0], { stroke: "var(--ink)" }),
        lineY(shown, { x: "at", y: "estimate", stroke: "var(--band)", strokeWidth: 2.5 }),
        dot(shown, { x: "at", y: "estimate", fill: "var(--band)", r: 3 }),
      ],
    },
    "All units up to each day. Light: the ",
    methodLink(page, "always-valid interval", "always-valid band"),
    `, which holds on every day at once; dark: the ${level(alpha)} interval, which holds for one look at the planned end.`,
    cut ? " The first days' bands leave the frame." : "",
  );
}

/** The first days' bands are so wide that in their frame all that follows would be a line on zero. */
function frameOf(points: readonly EffectPoint[]): [low: number, high: number] {
  const ends = points.slice(Math.floor(points.length / 4)).flatMap(endsOf);
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const margin = 0.05 * (high - low) || 1;
  return [low - margin, high + margin];
}

function endsOf({ estimate, ciLow, ciHigh, alwaysValidLow, alwaysValidHigh }: EffectPoint): number[] {
  return [estimate, ciLow, ciHigh, alwaysValidLow, alwaysValidHigh].filter((end) => end !== null);
}
