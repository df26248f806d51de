/** The lift of every metric and arm in one plot, the first that a reader looks at after the verdict. */

import type { AnalysisReport, Comparison, MetricReport, VerdictKind } from "../analysis/analysis.ts";
import { level, shortened } from "../domain/number-text.ts";
import { directionOf } from "./direction.ts";
import { type EffectRow, effectRowsMax, effectsChart, finite } from "./page-effects.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

/** Null where no comparison has a lift. */
export function forestPanel(
  page: PageBuilder,
  report: AnalysisReport,
  verdict: VerdictKind,
): PageElement | null {
  const decided = verdict !== "unhealthy" && verdict !== "too-early";
  const several = report.arms.length > 2;
  const named = report.metrics.flatMap((metric) =>
    metric.comparisons.map((one) => {
      const wanted = metric.goal === "increase" ? "↑" : "↓";
      const name = `${shortened(metric.metric, several ? 13 : 24)} ${wanted}`;
      const colour = decided ? colourOf(metric, one, report.alpha) : "var(--open)";
      return { one, colour, name: several ? `${name} ${shortened(one.arm, 10)}` : name };
    }),
  );
  const rows = named.flatMap(({ one, name, colour }): EffectRow[] => {
    const interval = finite(one.relative);
    if (interval === null) return [];
    const also = finite(one.cuped?.relative);
    return [{ name, interval, colour, ...(also === null ? {} : { also }) }];
  });
  if (rows.length === 0) return null;
  const warning = decided
    ? null
    : page.element(
        "p",
        { class: verdict === "unhealthy" ? "ill" : "wait" },
        verdict === "unhealthy"
          ? "Shown to find the fault, not to decide."
          : "Too early: no colour says better or worse.",
      );
  const without = named.filter(({ one }) => finite(one.relative) === null).map(({ name }) => name);
  return page.element(
    "section",
    { class: rows.length > effectRowsMax ? "panel wide" : "panel" },
    page.element("h2", {}, "Lift of each metric"),
    warning,
    effectsChart(
      page,
      `Lift of each metric against ${report.metrics[0]?.comparisons[0]?.versus ?? "control"}`,
      rows,
      { label: "lift", relative: true },
      `Thick: ${level(report.alpha)} interval of the `,
      methodLink(page, "relative lift"),
      rows.some(({ also }) => also !== undefined) ? "; thin: after " : "",
      rows.some(({ also }) => also !== undefined) ? methodLink(page, "CUPED") : null,
      ". An arrow says which way is better. Green is better and red worse after the ",
      methodLink(page, "Holm", "adjustment"),
      "; grey is neither.",
    ),
    without.length === 0
      ? null
      : page.element("p", { class: "faint" }, `No lift can be had of ${without.join(", ")}.`),
  );
}

function colourOf(metric: MetricReport, one: Comparison, alpha: number): string {
  return { better: "var(--good)", worse: "var(--bad)", open: "var(--open)" }[directionOf(metric, one, alpha)];
}
