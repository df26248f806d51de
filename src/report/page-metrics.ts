/** Every number of the report, and what each metric is. */

import type { AnalysisReport, Comparison, MetricReport } from "../analysis/analysis.ts";
import { amount, level, percent, probability, signed } from "../domain/number-text.ts";
import type { Interval } from "../statistics/statistics.ts";
import { detailsOf } from "./comparison-details.ts";
import { type PageBuilder, type PageElement, tableOf } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function metricsPanel(page: PageBuilder, report: AnalysisReport): PageElement {
  const rows = report.metrics.flatMap((metric) =>
    metric.comparisons.flatMap((one) => rowsOf(page, metric, one)),
  );
  const head = ["metric", "arm", "control", "arm's value", "difference", "lift", "p", "always valid"];
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "All numbers"),
    tableOf(page, head, rows),
    page.element(
      "p",
      { class: "faint" },
      `Below a difference or a lift its ${level(report.alpha)} interval. The p-values are of `,
      methodLink(page, "Welch's test"),
      " without CUPED and, like the intervals, hold for one look at the planned end; below each stands the one that the verdict goes by: " +
        "of the plan's own test, with CUPED where there is any, adjusted after ",
      methodLink(page, "Holm"),
      " among the primary metrics and Benjamini-Hochberg (BH) among the secondary ones. Who looks earlier or more often reads the ",
      methodLink(page, "always-valid interval"),
      ".",
    ),
  );
}

function rowsOf(page: PageBuilder, metric: MetricReport, one: Comparison): PageElement[] {
  const armValueOf = (arm: string) => metric.arms.find((value) => value.arm === arm);
  const number = (text: string, below: string | null = null) =>
    page.element(
      "td",
      { class: "number" },
      text,
      below === null ? null : page.element("div", { class: "faint" }, below),
    );
  const adjusted = one.adjusted.pValue;
  const row = page.element(
    "tr",
    {},
    page.element("td", { class: "name" }, `${metric.metric} (${metric.role})`),
    page.element("td", { class: "name" }, one.arm),
    number(amount(armValueOf(one.versus)?.mean ?? null)),
    number(amount(armValueOf(one.arm)?.mean ?? null)),
    number(...words(one.absolute, signed)),
    number(...words(one.relative, percent)),
    number(probability(one.pValue), adjusted === null ? null : `${methodOf(one)} ${probability(adjusted)}`),
    one.alwaysValid === null
      ? number("–")
      : number(
          `${signed(one.alwaysValid.ciLow)} to ${signed(one.alwaysValid.ciHigh)}`,
          `p ${probability(one.alwaysValid.pValue)}`,
        ),
  );
  const details = detailsOf(one);
  if (details.length === 0) return [row];
  const lines = details.map((line) => page.element("p", {}, line));
  return [row, page.element("tr", {}, page.element("td", { class: "faint", colspan: "8" }, ...lines))];
}

function methodOf({ adjusted }: Comparison): string {
  return { holm: "Holm", bh: "BH", none: "alone" }[adjusted.method];
}

function words(
  interval: Interval | null,
  show: (value: number) => string,
): [estimate: string, interval: string | null] {
  if (interval === null) return ["–", null];
  return [show(interval.estimate), `${show(interval.ciLow)} to ${show(interval.ciHigh)}`];
}

export function definitionsPanel(page: PageBuilder, report: AnalysisReport): PageElement {
  const entries = report.metrics.flatMap(({ metric, definition, type, goal, role }) => [
    page.element("dt", {}, metric),
    page.element(
      "dd",
      {},
      `${definition ?? `The ${type} over the arm's units.`} ${role[0]?.toUpperCase()}${role.slice(1)}; ` +
        `${goal === "increase" ? "more is better" : "less is better"}.`,
    ),
  ]);
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "What the metrics are"),
    page.element("dl", {}, ...entries),
    page.element(
      "p",
      { class: "faint" },
      methodLink(page, "what counts", "What counts and what does not"),
      ".",
    ),
  );
}
