/** Teacher labels of logged impressions, written once and read by every student; docs/teacher-labels.md. */
export { followLog, type LabelOptions, type LabelProgress, labelLog } from "./label-log.ts";
export type { Labelling } from "./labelling.ts";
export type { Teacher } from "./ports.ts";
export { asksForUser, teacherRequest } from "./teacher-request.ts";
