/** The process that answers, one of several: started by `startAnswering`, it does what the channel says. */
import { enableCompileCache } from "node:module";

// Ctrl-C and a service manager may signal the whole group: when to end is the supervising process's to say.
process.on("SIGTERM", () => undefined);
process.on("SIGINT", () => undefined);
enableCompileCache();
const { answerForSupervisor } = await import("./answer-for-supervisor.ts");
answerForSupervisor();
