/** The effect in each segment, with the test of whether segments differ: single segments prove nothing. */

import type { AnalysisReport } from "../analysis/analysis.ts";
import type { SegmentsReport } from "../designs/designs.ts";
import { count, fixed, probability, shortened } from "../domain/number-text.ts";
import { effectsChart, finite } from "./page-effects.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function segmentPanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  return (report.segments ?? []).flatMap((one) => {
    const chart = chartOf(page, one);
    if (chart === null) return [];
    const title = `${shortened(one.metric, 40)}, ${shortened(one.arm, 30)}: by ${shortened(one.attribute, 30)}`;
    return [page.element("section", { class: "panel" }, page.element("h2", {}, title), chart)];
  });
}

function chartOf(page: PageBuilder, segments: SegmentsReport): PageElement | null {
  const { metric, arm, attribute, levels, interaction } = segments;
  const relative = levels.every((one) => one.relative !== null || one.absolute === null);
  const rows = levels.flatMap(({ level, units, absolute, relative: lift }) => {
    const interval = finite(relative ? lift : absolute);
    if (interval === null) return [];
    return [
      { name: `${shortened(level ?? "not logged", 16)} (${count(units)})`, interval, colour: "var(--band)" },
    ];
  });
  if (rows.length === 0) return null;
  const tested =
    interaction === null
      ? "not testable."
      : `${interaction.pValueAdjusted < 0.05 ? "the effect differs between them" : "no difference between them shown"}, ` +
        `Q ${fixed(interaction.statistic, 1)} on ${interaction.degreesOfFreedom}, p ${probability(interaction.pValue)}, ` +
        `${probability(interaction.pValueAdjusted)} after correction for the attributes looked at.`;
  return effectsChart(
    page,
    `Effect of ${arm} on ${metric} by ${attribute}`,
    rows,
    { label: relative ? "lift" : "difference", relative },
    "Units in brackets. ",
    methodLink(page, "segments and novelty", "Interaction test"),
    `: ${tested}`,
  );
}
