/** Which of two arms the units prefer, each having had both in every list. */

import type { InterleavingReport, PreferenceReport } from "../analysis/analysis.ts";
import { count, counted, plainPercent, probability, shortened } from "../domain/number-text.ts";
import { effectsChart, finite } from "./page-effects.ts";
import { type PageBuilder, type PageElement, tableOf, tableRow } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function interleavingPanel(page: PageBuilder, report: InterleavingReport): PageElement {
  const { arm, versus, metrics } = report;
  const rows = metrics.flatMap(({ metric, goal, preference }) => {
    const interval = finite(preference);
    if (interval === null) return [];
    const name = `${shortened(metric, 24)} ${goal === "increase" ? "↑" : "↓"}`;
    return [{ name, interval, colour: "var(--band)" }];
  });
  const share = report.competitiveShare === null ? "" : ` (${plainPercent(report.competitiveShare)})`;
  const head = [
    "metric",
    "prefer the arm",
    "prefer control",
    "ties",
    "p (sign)",
    "adjusted p",
    "share, always valid",
  ];
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, `Preference for ${arm} over ${versus}`),
    rows.length === 0
      ? null
      : page.element(
          "div",
          { style: "max-width:34rem" },
          effectsChart(
            page,
            "Mean preference of the units for each metric",
            rows,
            { label: "preference", relative: false },
            "1 where all credit goes to the arm, −1 where all goes to control. ",
            methodLink(page, "interleaving", "Interleaving"),
            ".",
          ),
        ),
    tableOf(
      page,
      head,
      metrics.map((metric) => tableRow(page, cellsOf(metric))),
    ),
    page.element(
      "p",
      { class: "faint" },
      `${counted(report.units, "unit")}, ${counted(report.lists, "list")}, ${count(report.competitiveSlots)} of ` +
        `${counted(report.slots, "place")} competitive${share}, ${counted(report.oneArmImpressions, "answer")} of one arm alone.`,
    ),
  );
}

function cellsOf({
  metric,
  wins,
  losses,
  ties,
  sign,
  pValueAdjusted,
  alwaysValid,
}: PreferenceReport): string[] {
  return [
    metric,
    count(wins),
    count(losses),
    count(ties),
    probability(sign?.pValue ?? null),
    probability(pValueAdjusted),
    alwaysValid === null
      ? "–"
      : `${plainPercent(alwaysValid.sign.low)} to ${plainPercent(alwaysValid.sign.high)}, p ${probability(alwaysValid.sign.pValue)}`,
  ];
}
