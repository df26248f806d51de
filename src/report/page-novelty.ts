/** The effect by days since a unit first saw the change: does it fade? */
import { dot, ruleX, ruleY } from "@observablehq/plot";
import type { AnalysisReport } from "../analysis/analysis.ts";
import type { NoveltyReport } from "../designs/designs.ts";
import { probability, shortened, signed } from "../domain/number-text.ts";
import { finite } from "./page-effects.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function noveltyPanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  return (report.novelty ?? []).flatMap((one) => {
    const days = one.days.filter((day) => finite(day) !== null);
    // A day alone shows no change from day to day.
    if (days.length < 2) return [];
    const title = `${shortened(one.metric, 40)}, ${shortened(one.arm, 30)}: by days since first seen`;
    return [
      page.element(
        "section",
        { class: "panel" },
        page.element("h2", {}, title),
        chartOf(page, { ...one, days }, report.alpha),
      ),
    ];
  });
}

function chartOf(page: PageBuilder, { metric, arm, days, trend }: NoveltyReport, alpha: number): PageElement {
  return page.chart(
    `Difference of ${arm} on ${metric} by days since the first exposure`,
    {
      height: 240,
      inset: 12,
      x: {
        label: "days since first seen",
        labelAnchor: "center",
        labelArrow: "none",
        ticks: days.map(({ day }) => day).filter((_, at) => at % Math.ceil(days.length / 10) === 0),
        tickFormat: "d",
      },
      y: { label: "difference", labelArrow: "none", grid: true, tickFormat: "~g", ticks: 6 },
      marks: [
        ruleY([0], { stroke: "var(--ink)" }),
        ruleX(days, { x: "day", y1: "ciLow", y2: "ciHigh", stroke: "var(--band)", strokeWidth: 3 }),
        dot(days, { x: "day", y: "estimate", fill: "var(--band)", r: 5 }),
      ],
    },
    methodLink(page, "segments and novelty", "Trend"),
    trend === null
      ? ": not testable."
      : `: ${signed(trend.estimate)} a day, p ${probability(trend.pValue)}: ${words(trend, alpha)}`,
  );
}

function words(trend: NonNullable<NoveltyReport["trend"]>, alpha: number): string {
  if (trend.pValue >= alpha) return "no fading or growing shown.";
  return trend.estimate < 0 ? "the difference falls with the days." : "the difference grows with the days.";
}
