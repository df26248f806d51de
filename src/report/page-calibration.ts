/** The p-values of the experiment's own traffic, split anew many times: flat where the test keeps what it promises. */
import { rectY, ruleY } from "@observablehq/plot";
import type { AnalysisReport } from "../analysis/analysis.ts";
import { count, fixed, probability } from "../domain/number-text.ts";
import type { PageBuilder, PageElement } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

export function calibrationPanel(page: PageBuilder, report: AnalysisReport): PageElement | null {
  const { calibration } = report;
  if (calibration === undefined) return null;
  const { histogram, uniformity, salts, ok } = calibration;
  const width = 1 / Math.max(1, histogram.length);
  const bars = histogram.map((pValues, at) => ({ from: at * width, to: (at + 1) * width, pValues }));
  const even = histogram.reduce((sum, pValues) => sum + pValues, 0) * width;
  const state =
    ok === null ? "" : ok ? ": the test is calibrated on this traffic" : ": NOT CALIBRATED on this traffic";
  const tested =
    uniformity === null
      ? ", not testable."
      : `, distance from uniform ${fixed(uniformity.statistic, 3)}, p ${probability(uniformity.pValue)}.`;
  const title = page.element("h2", {}, "Is the test right on this traffic?");
  const method = methodLink(page, "self-calibration", "Self-calibration");
  if (even === 0) {
    const words = page.element("p", {}, method, ": no split of this traffic could be tested.");
    return page.element("section", { class: "panel" }, title, words);
  }
  return page.element(
    "section",
    { class: "panel" },
    title,
    page.chart(
      "P-values of the same traffic split at random, in equal bins",
      {
        height: 240,
        x: {
          domain: [0, 1],
          label: "p-value without an effect",
          labelAnchor: "center",
          labelArrow: "none",
          ticks: 5,
        },
        y: { label: "splits", labelArrow: "none", grid: true, ticks: 5 },
        marks: [
          rectY(bars, {
            x1: "from",
            x2: "to",
            y: "pValues",
            fill: "var(--band)",
            insetLeft: 1,
            insetRight: 1,
          }),
          ruleY([even], { stroke: "var(--ink)", strokeDasharray: "5 4" }),
          ruleY([0], { stroke: "var(--ink)" }),
        ],
      },
      method,
      ` under ${count(salts)} salts${state}${tested} Dashed: what equal splits give.`,
    ),
  );
}
