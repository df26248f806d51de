/** The report as one page that needs nothing else: no network, no script, its pictures drawn beforehand. */

import type { AnalysisReport, PlanReport, VerdictReport } from "../analysis/analysis.ts";
import { count, counted } from "../domain/number-text.ts";
import { calibrationPanel } from "./page-calibration.ts";
import { distributionPanels } from "./page-distributions.ts";
import { foldedPanels, type PageBuilder, type PageElement, pageBuilder, panelGrid } from "./page-elements.ts";
import { forestPanel } from "./page-forest.ts";
import { healthPanel } from "./page-health.ts";
import { interleavingPanel } from "./page-interleaving.ts";
import { methodLink, methodsPanel } from "./page-methods.ts";
import { definitionsPanel, metricsPanel } from "./page-metrics.ts";
import { noveltyPanels } from "./page-novelty.ts";
import { offPolicyPanel } from "./page-off-policy.ts";
import { overTimePanels } from "./page-over-time.ts";
import { segmentPanels } from "./page-segments.ts";
import { pageStyle } from "./page-style.ts";
import { tradeoffPanel } from "./page-tradeoff.ts";
import { triggerPanels } from "./page-trigger.ts";
import { readableIsolated } from "./readable.ts";
import { verdictWords } from "./verdict-words.ts";

/** Whatever an id may hold, the browser runs no script and asks nobody for anything. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export async function pageDocument(made: AnalysisReport): Promise<string> {
  const report = readableIsolated(made);
  const page = pageBuilder();
  const verdict = verdictWords(report);
  const panels = [
    forestPanel(page, report, verdict.kind),
    ...foldedPanels(page, overTimePanels(page, report), "The difference so far"),
    report.interleaving === undefined ? null : interleavingPanel(page, report.interleaving),
    healthPanel(page, report),
    report.metrics.length === 0 ? null : metricsPanel(page, report),
    warningsPanel(page, report),
    ...foldedPanels(page, segmentPanels(page, report), "Segments"),
    ...foldedPanels(page, noveltyPanels(page, report), "By days since first seen"),
    ...foldedPanels(page, distributionPanels(page, report), "How the units are spread"),
    ...foldedPanels(page, triggerPanels(page, report), "Where arms show something else"),
    calibrationPanel(page, report),
    tradeoffPanel(page, report),
    offPolicyPanel(page, report),
    report.metrics.length === 0 ? null : definitionsPanel(page, report),
    await methodsPanel(page, report),
  ];
  const body = page.element(
    "body",
    {},
    headerOf(page, report),
    page.element(
      "main",
      {},
      verdictBanner(page, verdict, report.interleaving === undefined),
      panelGrid(page, panels),
    ),
  );
  // A DOM writes the text of title and style as it is: only the rest of its elements keep text from being markup.
  const title = page.element("p", {}, `${report.experiment}: ${verdictNames[verdict.kind]}`).innerHTML;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${pageStyle}</style>
</head>
${body}
</html>
`;
}

function headerOf(page: PageBuilder, report: AnalysisReport): PageElement {
  const phase = report.phase === null ? "" : ` · phase ${report.phase}`;
  return page.element(
    "header",
    {},
    page.element("h1", {}, report.experiment),
    page.element("p", {}, `unit ${report.unit}${phase} · as of ${report.asOf}${planWords(report.plan)}`),
  );
}

function planWords(plan: PlanReport): string {
  const name = {
    fixed: "one look at the end",
    "always-valid": "always valid",
    "group-sequential": "group-sequential",
  }[plan.kind];
  const of = plan.plannedUnits === null ? "" : `${count(plan.units)} of `;
  const end = plan.plannedEnd === null ? "" : `, planned until ${plan.plannedEnd.slice(0, 10)}`;
  return ` · plan: ${name}, ${of}${counted(plan.plannedUnits ?? plan.units, "unit")}${end}${plan.ended ? ", ended" : ""}`;
}

const verdictNames: Record<VerdictReport["kind"], string> = {
  better: "Better",
  worse: "Worse",
  "not-worse": "Not worse",
  open: "Open",
  unhealthy: "No verdict: unhealthy",
  "too-early": "No verdict: too early",
};

/** @param isExplained whether the statistics page says how such a verdict comes about. */
function verdictBanner(
  page: PageBuilder,
  { kind, sentence, reasons }: VerdictReport,
  isExplained: boolean,
): PageElement {
  return page.element(
    "section",
    { class: `panel verdict ${kind}` },
    page.element("strong", {}, verdictNames[kind]),
    page.element("p", { class: "sentence" }, sentence),
    listOf(page, reasons.slice(0, reasonsMax)),
    reasons.length <= reasonsMax
      ? null
      : page.element(
          "details",
          {},
          page.element("summary", {}, `${reasons.length - reasonsMax} more`),
          listOf(page, reasons.slice(reasonsMax)),
        ),
    isExplained
      ? page.element("p", { class: "faint" }, methodLink(page, "verdict", "How a verdict comes about"), ".")
      : null,
  );
}

const reasonsMax = 6;

function listOf(page: PageBuilder, sentences: readonly string[]): PageElement | null {
  if (sentences.length === 0) return null;
  return page.element("ul", {}, ...sentences.map((sentence) => page.element("li", {}, sentence)));
}

function warningsPanel(page: PageBuilder, { warnings }: AnalysisReport): PageElement | null {
  if (warnings.length === 0) return null;
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "To be careful about"),
    listOf(page, warnings),
  );
}
