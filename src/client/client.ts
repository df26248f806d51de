/** A running server, asked over HTTP by the commands that take --url. */
export { runningModels } from "./running-models.ts";
export { RunningServerPlace } from "./running-server-place.ts";
export { serverAssignments } from "./server-assignments.ts";
