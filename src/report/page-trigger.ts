/** The effect on the requests that the arm changes at all, and what that is over all traffic. */

import type { AnalysisReport } from "../analysis/analysis.ts";
import type { TriggerComparison, TriggeredMetric } from "../designs/designs.ts";
import { count, plainPercent, probability, shortened } from "../domain/number-text.ts";
import { effectsChart, finite } from "./page-effects.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function triggerPanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  return (report.trigger?.comparisons ?? []).flatMap((one) => {
    const rows = one.metrics.flatMap(rowsOf);
    if (rows.length === 0) return [];
    return [
      page.element(
        "section",
        { class: "panel" },
        page.element("h2", {}, `${shortened(one.arm, 40)}: where it shows something else`),
        effectsChart(
          page,
          `Lift of ${one.arm} on triggered and on all traffic`,
          rows,
          { label: "lift", relative: true },
          methodLink(page, "trigger analysis", "Trigger analysis"),
          `: ${words(one)}`,
        ),
      ),
    ];
  });
}

function rowsOf({ metric, triggered, diluted }: TriggeredMetric) {
  const rows = [
    {
      name: `${shortened(metric, 14)}, triggered`,
      interval: finite(triggered?.relative),
      colour: "var(--band)",
    },
    {
      name: `${shortened(metric, 12)}, all traffic`,
      interval: finite(diluted?.relative),
      colour: "var(--open)",
    },
  ];
  return rows.flatMap(({ interval, ...row }) => (interval === null ? [] : [{ ...row, interval }]));
}

function words({ requests, srm }: TriggerComparison): string {
  const share = requests.compared === 0 ? "" : ` (${plainPercent(requests.differing / requests.compared)})`;
  const split = srm.ok
    ? "as the weights promise"
    : "NOT as the weights promise: the arm itself moves the trigger";
  return (
    `${count(requests.differing)} of ${count(requests.compared)} compared requests differ${share}; ` +
    `triggered units stand ${split}, p ${probability(srm.pValue)}.`
  );
}
