/** How the difference came about, day by day, in the band that may be looked at on each of them. */
import { areaY, dot, lineY, ruleY } from "@observablehq/plot";
import type { AnalysisReport } from "../analysis/analysis.ts";
import type { EffectOverTime, EffectPoint } from "../designs/designs.ts";
import { level, shortened } from "../domain/number-text.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function overTimePanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  const all = (report.overTime ?? []).map((one) => ({
    ...one,
    points: one.points.map(finitePoint).filter(({ estimate }) => estimate !== null),
  }));
  const drawn = all.filter(({ points }) => points.length > 1);
  if (drawn.length === 0 && all.some(({ points }) => points.length === 1)) return [oneDayPanel(page)];
  return drawn.map((one) => {
    const title = `${shortened(one.metric, 40)}, ${shortened(one.arm, 30)}: the difference so far`;
    return page.element(
      "section",
      { class: "panel" },
      page.element("h2", {}, title),
      chartOf(page, one, report.alpha),
    );
  });
}

/** What there is to see of one day stands in the effects already. */
function oneDayPanel(page: PageBuilder): PageElement {
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "The difference so far"),
    page.element(
      "p",
      {},
      "One day has figures so far: how differences come about is drawn from two days on.",
    ),
  );
}

function chartOf(page: PageBuilder, { metric, arm, points }: EffectOverTime, alpha: number): PageElement {
  const shown = points.map((point) => ({ ...point, at: new Date(`${point.day}T00:00:00Z`) }));
  const band = { x: "at", fill: "var(--band)" };
  const frame = frameOf(points);
  const cut = points.flatMap(endsOf).some((end) => end < frame[0] || end > frame[1]);
  return page.chart(
    `Cumulative difference of ${arm} on ${metric}, by day`,
    {
      height: 280,
      clip: true,
      insetLeft: 8,
      insetRight: 8,
      x: {
        type: "utc",
        label: null,
        ticks: Math.min(5, points.length),
      },
      y: {
        domain: frame,
        label: "difference",
        labelArrow: "none",
        grid: true,
        tickFormat: "~g",
        ticks: 6,
      },
      marks: [
        areaY(shown, { ...band, y1: "alwaysValidLow", y2: "alwaysValidHigh", fillOpacity: 0.16 }),
        areaY(shown, { ...band, y1: "ciLow", y2: "ciHigh", fillOpacity: 0.28 }),
        ruleY([0], { stroke: "var(--ink)" }),
        lineY(shown, { x: "at", y: "estimate", stroke: "var(--band)", strokeWidth: 2.5 }),
        dot(shown, { x: "at", y: "estimate", fill: "var(--band)", r: shown.length > 31 ? 1.5 : 3 }),
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

function finitePoint({ day, units, ...ends }: EffectPoint): EffectPoint {
  const orNull = (end: number | null): number | null => (end !== null && Number.isFinite(end) ? end : null);
  return {
    ...{
      day,
      units,
      estimate: orNull(ends.estimate),
      ciLow: orNull(ends.ciLow),
      ciHigh: orNull(ends.ciHigh),
    },
    alwaysValidLow: orNull(ends.alwaysValidLow),
    alwaysValidHigh: orNull(ends.alwaysValidHigh),
  };
}
