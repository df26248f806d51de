/** Whether the numbers can be trusted: the split as a picture, and every check with what it saw. */
import { barX, ruleX, text, tickX } from "@observablehq/plot";
import type { AnalysisReport, HealthCheck } from "../analysis/analysis.ts";
import { count, plainPercent, probability, shortened } from "../domain/number-text.ts";
import { armColour } from "./page-arms.ts";
import { type PageBuilder, type PageElement, tableOf } from "./page-elements.ts";
import { methodLink } from "./page-methods.ts";

/** An interleaving has no split, every unit having both arms. */
export function healthPanel(page: PageBuilder, report: AnalysisReport): PageElement {
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "Health"),
    report.interleaving === undefined ? splitChart(page, report) : null,
    checksTable(page, report.health.checks),
  );
}

function splitChart(page: PageBuilder, report: AnalysisReport): PageElement {
  const total = report.arms.reduce((sum, arm) => sum + arm.units, 0);
  const rows = report.arms.map(({ arm, units }, at) => ({
    at: String(at),
    seen: total === 0 ? 0 : units / total,
    expected: report.srm.expected[at] ?? 0,
    colour: armColour(report, arm),
    words: `${shortened(arm, 24)}   ${count(units)} = ${plainPercent(total === 0 ? 0 : units / total)}, expected ${plainPercent(report.srm.expected[at] ?? 0)}`,
  }));
  const { pValue, ok } = report.srm;
  return page.element(
    "div",
    { style: "max-width:34rem" },
    page.chart(
      "Units of each arm against what the weights promise",
      {
        height: rows.length * 46 + 12,
        marginLeft: 4,
        marginTop: 6,
        marginBottom: 6,
        x: {
          domain: [0, Math.max(...rows.flatMap(({ seen, expected }) => [seen, expected])) * 1.02 || 1],
          axis: null,
        },
        y: { axis: null, domain: rows.map(({ at }) => at), padding: 0.55, align: 1 },
        marks: [
          barX(rows, { y: "at", x: "seen", fill: "colour", fillOpacity: 0.75 }),
          tickX(rows, { y: "at", x: "expected", stroke: "var(--ink)", strokeWidth: 3 }),
          ruleX([0], { stroke: "var(--ink)" }),
          text(rows, { y: "at", text: "words", frameAnchor: "left", dx: 4, dy: -19, fill: "var(--ink)" }),
        ],
      },
      "Bars: units seen; ticks: promised. ",
      methodLink(page, "sample ratio"),
      pValue === null
        ? ": not testable yet."
        : `: ${ok ? "as promised" : "MISMATCH"}, p ${probability(pValue)}.`,
    ),
  );
}

/** Of what could not be tested it says why: no fault of the experiment. */
function causeOf(page: PageBuilder, ok: boolean | null, likelyCause: string): PageElement {
  return ok === null
    ? page.element("p", { class: "unknown" }, likelyCause)
    : page.element("p", { class: "ill" }, `Likely cause: ${likelyCause}`);
}

function checksTable(page: PageBuilder, checks: readonly HealthCheck[]): PageElement {
  const rows = checks.map(({ id, name, ok, pValue, detail, likelyCause }) => {
    const isWaiting = id === "enough-units" && ok === null && likelyCause !== null;
    const words = { ok: "✔ ok", ill: "✘ failed", unknown: isWaiting ? "– not yet" : "– not tested" };
    return page.element(
      "tr",
      {},
      page.element("td", { class: state(ok) }, words[state(ok)]),
      page.element("td", { class: "name" }, name),
      page.element("td", { class: "number" }, probability(pValue)),
      page.element(
        "td",
        { class: "name" },
        detail,
        likelyCause === null ? null : causeOf(page, ok, likelyCause),
      ),
    );
  });
  return page.element(
    "div",
    {},
    page.element("h3", {}, methodLink(page, "health tests", "Health tests")),
    tableOf(page, ["state", "check", "p", "what was seen"], rows),
  );
}

function state(ok: boolean | null): "ok" | "ill" | "unknown" {
  if (ok === null) return "unknown";
  return ok ? "ok" : "ill";
}
