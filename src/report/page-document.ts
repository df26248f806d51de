/** The report as one page that needs nothing else: no network, no script, its pictures drawn beforehand. */

import type { AnalysisReport, PlanReport, VerdictReport } from "../analysis/analysis.ts";
import { count } from "../analysis/format.ts";
import { calibrationPanel } from "./page-calibration.ts";
import { distributionPanels } from "./page-distributions.ts";
import { type PageBuilder, type PageElement, pageBuilder } from "./page-elements.ts";
import { forestPanel } from "./page-forest.ts";
import { healthPanel } from "./page-health.ts";
import { interleavingPanel } from "./page-interleaving.ts";
import { methodsPanel } from "./page-methods.ts";
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
    ...overTimePanels(page, report),
    report.interleaving === undefined
      ? healthPanel(page, report)
      : interleavingPanel(page, report.interleaving),
    report.metrics.length === 0 ? null : metricsPanel(page, report),
    warningsPanel(page, report),
    ...segmentPanels(page, report),
    ...noveltyPanels(page, report),
    ...distributionPanels(page, report),
    ...triggerPanels(page, report),
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
      verdictBanner(page, verdict),
      page.element("div", { class: "panels" }, ...panels),
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

function planWords(plan: PlanReport | null | undefined): string {
  if (plan === undefined || plan === null) return "";
  const name = {
    fixed: "one look at the end",
    "always-valid": "always valid",
    "group-sequential": "group-sequential",
  }[plan.kind];
  const units =
    plan.plannedUnits === null ? count(plan.units) : `${count(plan.units)} of ${count(plan.plannedUnits)}`;
  const end = plan.plannedEnd === null ? "" : `, planned until ${plan.plannedEnd.slice(0, 10)}`;
  return ` · plan: ${name}, ${units} units${end}${plan.ended ? ", ended" : ""}`;
}

const verdictNames: Record<VerdictReport["kind"], string> = {
  better: "Better",
  worse: "Worse",
  "not-worse": "Not worse",
  open: "Open",
  unhealthy: "No verdict: unhealthy",
  "too-early": "No verdict: too early",
};

function verdictBanner(page: PageBuilder, { kind, sentence, reasons }: VerdictReport): PageElement {
  return page.element(
    "section",
    { class: `panel verdict ${kind}` },
    page.element("strong", {}, verdictNames[kind]),
    page.element("p", { class: "sentence" }, sentence),
    reasons.length === 0
      ? null
      : page.element("ul", {}, ...reasons.map((reason) => page.element("li", {}, reason))),
  );
}

function warningsPanel(page: PageBuilder, { warnings }: AnalysisReport): PageElement | null {
  if (warnings.length === 0) return null;
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "To be careful about"),
    page.element("ul", {}, ...warnings.map((warning) => page.element("li", {}, warning))),
  );
}
