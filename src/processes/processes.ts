/** Several processes of one server: how they speak, and how those that end or hang are replaced. */

export { AskedProcesses } from "./asked-processes.ts";
export { Calls, EndedError } from "./calls.ts";
export { Errand, type Problem } from "./errand.ts";
export { Fleet, type Member } from "./fleet.ts";
export { carryOut, type ModelCommand, sharedLibrary } from "./model-command.ts";
export { ModelCommands } from "./model-commands.ts";
export { watchSignOfLife } from "./sign-of-life.ts";
