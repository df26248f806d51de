/** Several processes of one server: how they speak, and how those that end are replaced. */

export { Calls, EndedError } from "./calls.ts";
export { Fleet, type Member } from "./fleet.ts";
