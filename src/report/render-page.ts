import type { AnalysisReport } from "../analysis/analysis.ts";

/**
 * The report as one HTML page: it needs no network and no script, and no text of an experiment or a table can be taken
 * for markup. What draws it is loaded only when a page is asked for.
 */
export async function renderPage(report: AnalysisReport): Promise<string> {
  const { pageDocument } = await import("./page-document.ts");
  return pageDocument(report);
}
