/** The lift of every metric and arm in one plot, the first that a reader looks at after the verdict. */

import type { AnalysisReport, Comparison, MetricReport, VerdictKind } from "../analysis/analysis.ts";
import { level } from "../analysis/format.ts";
import { directionOf } from "./direction.ts";
import { type EffectRow, effectsChart } from "./page-effects.ts";
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
  const rows = report.metrics.flatMap((metric) =>
    metric.comparisons.flatMap((one): EffectRow[] => {
      if (one.relative === null) return [];
      const colour = decided ? colourOf(metric, one, report.alpha) : "var(--open)";
      const wanted = metric.goal === "increase" ? "↑" : "↓";
      const name = `${metric.metric} ${wanted}${several ? ` · ${one.arm}` : ""}`;
      const also = one.cuped?.relative ?? null;
      return [{ name, interval: one.relative, colour, ...(also === null ? {} : { also }) }];
    }),
  );
  if (rows.length === 0) return null;
  const warning = decided
    ? null
    : page.element(
        "p",
        { class: verdict === "unhealthy" ? "ill" : "wait" },
        verdict === "unhealthy"
          ? "Shown to find the fault, not to decide."
          : "Before the planned end: no colour says better or worse.",
      );
  return page.element(
    "section",
    { class: "panel" },
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
      " of the primaries; grey is neither.",
    ),
  );
}

function colourOf(metric: MetricReport, one: Comparison, alpha: number): string {
  return { better: "var(--good)", worse: "var(--bad)", open: "var(--open)" }[directionOf(metric, one, alpha)];
}
