import { Worker } from "node:worker_threads";
import type { SpawnWorker, WorkerEvents, WorkerLink } from "./worker-link.ts";
import type { Reply } from "./worker-messages.ts";

/** A worker in a thread of this process: buffers change hands uncopied, and a native crash takes the process with it. */
export const spawnWorkerThread: SpawnWorker = (events) =>
  linkToThread(
    new Worker(new URL("./worker-thread-entry.ts", import.meta.url), { name: "setlist-inference" }),
    events,
  );

export function linkToThread(worker: Worker, events: WorkerEvents): WorkerLink {
  worker.on("message", (reply: Reply) => events.reply(reply));
  let thrown: unknown;
  worker.on("error", (error: unknown) => {
    thrown = error;
  });
  worker.on("exit", (code) => events.ended(thrown instanceof Error ? thrown.message : `exit code ${code}`));
  return {
    post: (order, transfer) => worker.postMessage(order, transfer),
    // In a run, `terminate` would abort the process.
    kill: () => undefined,
  };
}
