/** Units by their value, arm beside arm: where a mean comes from. */
import { barY, ruleY } from "@observablehq/plot";
import type { AnalysisReport, Distribution, DistributionBucket } from "../analysis/analysis.ts";
import { amount } from "../analysis/format.ts";
import { armColour, armKey } from "./page-arms.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";

export function distributionPanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  const byMetric = Map.groupBy(report.distributions ?? [], ({ metric }) => metric);
  return [...byMetric].map(([metric, inMetric]) =>
    page.element(
      "section",
      { class: "panel" },
      page.element("h2", {}, `${metric}: how the units are spread`),
      armKey(page, report, new Set(inMetric.map(({ arm }) => arm))),
      chartOf(page, metric, inMetric, report),
    ),
  );
}

function chartOf(
  page: PageBuilder,
  metric: string,
  distributions: readonly Distribution[],
  report: AnalysisReport,
): PageElement {
  const bars = distributions.flatMap(({ arm, buckets }) => {
    const units = buckets.reduce((sum, bucket) => sum + bucket.units, 0);
    return buckets.map((bucket) => ({
      bucket: nameOf(bucket),
      arm,
      share: units === 0 ? 0 : bucket.units / units,
      colour: armColour(report, arm),
    }));
  });
  const names = [...new Set(distributions.flatMap(({ buckets }) => buckets.map(nameOf)))];
  const every = Math.ceil(names.length / 7);
  return page.chart(
    `Shares of each arm's units by their ${metric}`,
    {
      height: 240,
      fx: {
        domain: names,
        label: null,
        axis: "bottom",
        padding: 0.15,
        tickFormat: (name: string) => (names.indexOf(name) % every === 0 ? name : ""),
      },
      x: { axis: null, domain: distributions.map(({ arm }) => arm), padding: 0 },
      y: {
        label: "share of units",
        labelArrow: "none",
        percent: true,
        grid: true,
        ticks: 5,
        tickFormat: (value: number) => `${value} %`,
      },
      marks: [
        barY(bars, { fx: "bucket", x: "arm", y: "share", fill: "colour" }),
        ruleY([0], { stroke: "var(--ink)" }),
      ],
    },
    "Each group of bars is a range of values and starts with the value below it; an arm's bars add up to 100 %.",
  );
}

function nameOf({ from, to }: DistributionBucket): string {
  if (from === null) return `< ${amount(to)}`;
  return to === null ? `≥ ${amount(from)}` : amount(from);
}
