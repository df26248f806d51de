/** What the planning of an experiment offers to the other rooms: how many units, what can be found, how sure. */
export { type LogBaseline, logBaseline } from "./log-baseline.ts";
export { powerReport } from "./power-answer.ts";
export type { Amount, Monitoring, PowerBaseline, PowerQuestion } from "./power-question.ts";
export type { PowerReport } from "./power-report.ts";
