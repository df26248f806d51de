/** Units by their value, arm beside arm: where a mean comes from. */
import { barY, cell, ruleY } from "@observablehq/plot";
import type { AnalysisReport } from "../analysis/analysis.ts";
import type { Distribution, DistributionBucket } from "../designs/designs.ts";
import { amount, shortened } from "../domain/number-text.ts";
import { armColour, armKey } from "./page-arms.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";

/** Bars of more arms side by side are too thin to be compared. */
const barsMax = 4;

export function distributionPanels(page: PageBuilder, report: AnalysisReport): PageElement[] {
  const withUnits = (report.distributions ?? []).filter(({ buckets }) =>
    buckets.some(({ units }) => Number.isFinite(units) && units > 0),
  );
  const byMetric = Map.groupBy(withUnits, ({ metric }) => metric);
  return [...byMetric].map(([metric, inMetric]) => {
    const areBars = inMetric.length <= barsMax;
    return page.element(
      "section",
      { class: "panel" },
      page.element("h2", {}, `${shortened(metric, 50)}: how the units are spread`),
      areBars ? armKey(page, report, new Set(inMetric.map(({ arm }) => arm))) : null,
      areBars ? barsOf(page, metric, inMetric, report) : cellsOf(page, metric, inMetric),
    );
  });
}

function barsOf(
  page: PageBuilder,
  metric: string,
  distributions: readonly Distribution[],
  report: AnalysisReport,
): PageElement {
  const bars = sharesOf(distributions).map((one) => ({ ...one, colour: armColour(report, one.arm) }));
  const names = bucketNames(distributions);
  return page.chart(
    labelOf(metric),
    {
      height: 220,
      marginBottom: 28,
      fx: { domain: names, label: null, axis: "bottom", padding: 0.15, tickFormat: fewOf(names) },
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

function cellsOf(page: PageBuilder, metric: string, distributions: readonly Distribution[]): PageElement {
  const names = bucketNames(distributions);
  const shares = sharesOf(distributions);
  const most = Math.max(...shares.map(({ share }) => share));
  return page.chart(
    labelOf(metric),
    {
      height: distributions.length * 22 + 36,
      marginLeft: 120,
      marginTop: 8,
      marginBottom: 28,
      x: { domain: names, label: null, padding: 0.06, tickFormat: fewOf(names), tickSize: 0 },
      y: {
        domain: distributions.map(({ arm }) => arm),
        label: null,
        padding: 0.12,
        tickSize: 0,
        tickFormat: (arm: string) => shortened(arm, 15),
      },
      marks: [
        cell(shares, {
          x: "bucket",
          y: "arm",
          fill: "var(--band)",
          fillOpacity: ({ share }) => share / most,
        }),
      ],
    },
    "Each column is a range of values and starts with the value below it; the darker, the more of the arm's units are in it.",
  );
}

function sharesOf(distributions: readonly Distribution[]) {
  return distributions.flatMap(({ arm, buckets }) => {
    const units = buckets.reduce((sum, bucket) => sum + bucket.units, 0);
    return buckets.map((bucket) => ({ bucket: nameOf(bucket), arm, share: bucket.units / units }));
  });
}

function bucketNames(distributions: readonly Distribution[]): string[] {
  return [...new Set(distributions.flatMap(({ buckets }) => buckets.map(nameOf)))];
}

/** As many names as have room below. */
function fewOf(names: readonly string[]): (name: string) => string {
  const every = Math.ceil(names.length / 7);
  return (name) => (names.indexOf(name) % every === 0 ? name : "");
}

function labelOf(metric: string): string {
  return `Shares of each arm's units by their ${metric}`;
}

function nameOf({ from, to }: DistributionBucket): string {
  if (from === null) return `< ${amount(to)}`;
  return to === null ? `≥ ${amount(from)}` : amount(from);
}
