/** What the analysis offers to the other rooms: a log or a table in, a report out, and what a report is made of. */
export { analyzeExperiment } from "./analyze-experiment.ts";
export { analyzeTable } from "./analyze-table.ts";
export type { SegmentAttribute } from "./attribute-levels.ts";
export type { DesignQuestions } from "./designs.ts";
export { duckDbEngine } from "./duckdb-engine.ts";
export type { KeptStates } from "./incremental.ts";
export { newUnitsByDay } from "./new-units.ts";
export type { ArmPolicy } from "./off-policy-design.ts";
export type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "./power-question.ts";
export { type PowerReport, powerReport } from "./power-report.ts";
export type { AnalysisReport, Comparison, MetricReport } from "./report.ts";
export type {
  CalibrationReport,
  NoveltyReport,
  PolicyReport,
  PolicyValue,
  SegmentsReport,
  TriggerComparison,
  TriggeredMetric,
} from "./report-designs.ts";
export type { InterleavingReport, PreferenceReport } from "./report-interleaving.ts";
export type {
  Distribution,
  DistributionBucket,
  EffectOverTime,
  EffectPoint,
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
export { sparkEngine } from "./spark-engine.ts";
export { parseTableMetric } from "./table-metric.ts";
