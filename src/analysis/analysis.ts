/** What the analysis offers to the other rooms: a log or a table in, a report out, and what a report is made of. */
export { analyzeExperiment } from "./analyze-experiment.ts";
export { analyzeTable } from "./analyze-table.ts";
export type { InterleavingReport, PreferenceReport } from "./interleaving-report.ts";
export type { AnalysisReport, Comparison, MetricReport } from "./report.ts";
export type {
  HealthCheck,
  NotWorseReport,
  PlanReport,
  ScoreReport,
  SequentialReport,
  TradeoffPoint,
  TradeoffReport,
  VerdictKind,
  VerdictReport,
} from "./report-sections.ts";
