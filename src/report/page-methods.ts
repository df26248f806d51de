/** The methods that a report rests on: each name leads to its section of docs/statistics.md, which the page brings along. */
import { readFile } from "node:fs/promises";
import { marked } from "marked";
import type { AnalysisReport, Comparison } from "../analysis/analysis.ts";
import type { Content, PageBuilder, PageElement } from "./page-elements.ts";

/** Each method's heading in docs/statistics.md. */
const headings = {
  verdict: "Verdict and health of a report",
  "what counts": "What counts and what does not",
  "sample ratio": "Sample ratio (SRM)",
  "means and proportions": "Means and proportions",
  ratios: "Ratios",
  quantiles: "Quantiles",
  "Welch's test": "Difference (Welch's test)",
  "relative lift": "Relative lift",
  Holm: "Several primaries (Holm)",
  "always-valid interval": "Always-valid interval",
  CUPED: "CUPED",
  "Fieller's set": "Relative lift near zero (Fieller)",
  winsorising: "Winsorising",
  "post-stratification": "Post-stratification",
  "segments and novelty": "Segments and novelty",
  "group-sequential": "Group-sequential designs",
  "families by role": "Families by role",
  "not worse than a margin": "Not worse than a margin",
  "a distilled ranker's verdict": "A distilled ranker's verdict",
  "health tests": "Health tests",
  interleaving: "Interleaving",
  "off-policy estimates": "Off-policy estimates",
  "trigger analysis": "Trigger analysis, back to all traffic",
  "self-calibration": "Self-calibration",
} as const;

export type Method = keyof typeof headings;

/** The method's name, leading to its section further down on the page. */
export function methodLink(page: PageBuilder, method: Method, text: string = method): PageElement {
  return page.element("a", { href: `#${slug(headings[method])}` }, text);
}

/** The sections of all methods that the report names, closed until somebody asks. */
export async function methodsPanel(page: PageBuilder, report: AnalysisReport): Promise<PageElement> {
  const sections = sectionsOf(await readFile(new URL("../../docs/statistics.md", import.meta.url), "utf8"));
  const shown = methodsOf(report).map((method): Content => {
    const heading = headings[method];
    const text = sections.get(heading);
    if (text === undefined) throw new Error(`docs/statistics.md has no section "${heading}"`);
    const body = page.element("div", { id: slug(heading) });
    body.innerHTML = withoutOtherLinks(marked.parse(text, { async: false }));
    return page.element("details", {}, page.element("summary", {}, heading), body);
  });
  return page.element(
    "section",
    { class: "panel wide" },
    page.element("h2", {}, "How these numbers are made"),
    page.element("p", { class: "faint" }, "From Setlist's statistics page, docs/statistics.md."),
    ...shown,
  );
}

function methodsOf(report: AnalysisReport): Method[] {
  const comparisons = report.metrics.flatMap((metric) => metric.comparisons);
  const some = (has: (one: Comparison) => unknown): boolean => comparisons.some((one) => Boolean(has(one)));
  const types = new Set<string>(report.metrics.map(({ type }) => type));
  const used: Record<Method, boolean> = {
    verdict: report.interleaving === undefined,
    "what counts": true,
    "sample ratio": report.interleaving === undefined,
    "means and proportions": types.has("mean") || types.has("proportion"),
    ratios: types.has("ratio"),
    quantiles: types.has("quantile"),
    "Welch's test": comparisons.length > 0,
    "relative lift": some((one) => one.relative),
    Holm: comparisons.length > 0,
    "always-valid interval": true,
    CUPED: some((one) => one.cuped),
    "Fieller's set": some((one) => one.fieller),
    winsorising: some((one) => one.winsorisedAt !== undefined),
    "post-stratification": some((one) => one.postStratified),
    "segments and novelty": Boolean(report.segments?.length) || Boolean(report.novelty?.length),
    "group-sequential": some((one) => one.sequential),
    "families by role": comparisons.length > 0,
    "not worse than a margin": some((one) => one.notWorse),
    "a distilled ranker's verdict": report.tradeoff !== undefined,
    "health tests": true,
    interleaving: report.interleaving !== undefined,
    "off-policy estimates": report.offPolicy !== undefined,
    "trigger analysis": report.trigger !== undefined,
    "self-calibration": report.calibration !== undefined,
  };
  return (Object.keys(used) as Method[]).filter((method) => used[method]);
}

/** What stands under each heading of the second rank, up to the next heading of that rank or above. */
function sectionsOf(markdown: string): ReadonlyMap<string, string> {
  const parts = markdown.split(/^(#{1,2}) (.+)$/m);
  const sections = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 3) {
    if (parts[at] === "##") sections.set(parts[at + 1] ?? "", parts[at + 2] ?? "");
  }
  return sections;
}

/** Other pages are not on this one, and a section that the report does not need is not either. */
function withoutOtherLinks(html: string): string {
  return html.replaceAll(/<a href="[^"]*"[^>]*>(.*?)<\/a>/gs, "$1");
}

/** As GitHub makes an anchor of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}
