/** A process that makes one analysis and ends. */
import type { AnalysisReport } from "../../analysis/analysis.ts";
import { runErrand } from "../../processes/errand.ts";
import { analyzeDataDirectory } from "../data/analyze-data.ts";
import type { AnalysisOrder } from "./log-analyses.ts";

/** Of what the report says by itself; guardrails have levels of their own. */
const alpha = 0.05;

/** Of a server's cores no more than one, whatever there are: nobody waits for these figures, and requests do. */
const threads = 1;

runErrand(async (order: AnalysisOrder): Promise<{ report: AnalysisReport }> => {
  const incremental = { onNotice: () => undefined };
  return { report: await analyzeDataDirectory({ ...order, alpha, threads, incremental }) };
});
