/** What the analysis offers to the other rooms: a log or a table in, a report out. */
export { analyzeExperiment, type ExperimentAnalysis } from "./analyze-experiment.ts";
export type { AnalysisReport } from "./report.ts";
