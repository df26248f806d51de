/** What the logged requests would have earned under other weights of the arms. */

import type { AnalysisReport } from "../analysis/analysis.ts";
import type { PolicyReport, PolicyValue } from "../designs/designs.ts";
import { amount, count, plainPercent } from "../domain/number-text.ts";
import { type PageBuilder, type PageElement, tableOf, tableRow } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function offPolicyPanel(page: PageBuilder, report: AnalysisReport): PageElement | null {
  if (report.offPolicy === undefined) return null;
  const rows = report.offPolicy.policies.flatMap((policy) =>
    policy.metrics.map(({ metric, ips, snips, doublyRobust }) =>
      tableRow(page, [
        `${metric} under ${weightsOf(policy)}`,
        words(ips),
        words(snips),
        words(doublyRobust),
        `${count(Math.round(policy.effectiveUnits))} of ${count(policy.units)}`,
        plainPercent(policy.unsupportedShare),
      ]),
    ),
  );
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "Under other weights"),
    tableOf(
      page,
      ["metric, a request", "IPS", "self-normalised", "doubly robust", "effective units", "without support"],
      rows,
    ),
    page.element(
      "p",
      { class: "faint" },
      methodLink(page, "off-policy estimates", "Off-policy estimates"),
      ".",
    ),
  );
}

function weightsOf({ weights }: PolicyReport): string {
  return Object.entries(weights)
    .map(([arm, weight]) => `${arm} ${plainPercent(weight)}`)
    .join(", ");
}

function words(value: PolicyValue | null): string {
  return value === null
    ? "–"
    : `${amount(value.estimate)} (${amount(value.ciLow)} to ${amount(value.ciHigh)})`;
}
