/** The process of a worker that has one of its own. */
import { writeFileSync } from "node:fs";
import { obeyInTurn } from "./worker.ts";

process.title = "setlist-inference";
// Ctrl-C in a terminal and a service manager's stop reach every process of the group: the server drains, and this one
// has to be there until it says `exit`.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
// Without a server there is nobody to answer. A run that is under way ends first: this is its own thread.
process.on("disconnect", () => process.exit());
preferForOutOfMemory();

process.on(
  "message",
  obeyInTurn({
    // Where the server is gone meanwhile, "disconnect" ends us.
    reply: (message) => void process.send?.(message, undefined, undefined, () => undefined),
    close: () => process.disconnect(),
  }) as (message: unknown) => void,
);

/** Where memory runs out, Linux ends the process with the highest score, which would else be the larger server. */
function preferForOutOfMemory(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "500");
  } catch {
    // Another system chooses for itself.
  }
}
