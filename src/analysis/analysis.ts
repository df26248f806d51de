/** What the analysis offers to the other rooms: a log or a table in, a report out. */
export { analyzeExperiment } from "./analyze-experiment.ts";
export { analyzeTable } from "./analyze-table.ts";
export type { DesignQuestions } from "./designs.ts";
export { duckDbEngine } from "./duckdb-engine.ts";
export type { KeptStates } from "./incremental.ts";
export { newUnitsByDay } from "./new-units.ts";
export type { ArmPolicy } from "./off-policy-design.ts";
export type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "./power-question.ts";
export { powerReport } from "./power-report.ts";
export { renderReport } from "./render.ts";
export { renderOverview } from "./render-overview.ts";
export { renderPage } from "./render-page.ts";
export { renderPower } from "./render-power.ts";
export type { AnalysisReport } from "./report.ts";
export type { SegmentAttribute } from "./segments-design.ts";
export { sparkEngine } from "./spark-engine.ts";
export { parseTableMetric } from "./table-metric.ts";
