/** A process that makes one analysis and ends. */
import { analyzeDataDirectory } from "./analyze-data.ts";
import type { AnalysisAnswer, AnalysisOrder } from "./log-analyses.ts";

/** Of what the report says by itself; guardrails have levels of their own. */
const alpha = 0.05;

/** Of a server's cores no more than one, whatever there are: nobody waits for these figures, and requests do. */
const threads = 1;

process.once("message", async (order: AnalysisOrder) => {
  let answer: AnalysisAnswer;
  try {
    const incremental = { onNotice: () => undefined };
    answer = { report: await analyzeDataDirectory({ ...order, alpha, threads, incremental }) };
  } catch (error) {
    answer = { problem: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer, () => process.exit(0));
});
process.on("disconnect", () => process.exit(1));
