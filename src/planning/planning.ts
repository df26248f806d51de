/** What the planning of an experiment offers to the other rooms: how many units, what can be found, how sure. */
export type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "./power-question.ts";
export { type PowerReport, powerReport } from "./power-report.ts";
