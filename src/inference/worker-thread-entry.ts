/** The thread of a worker that shares the server's process. */
import { parentPort } from "node:worker_threads";
import { obeyInTurn } from "./worker.ts";

if (parentPort === null) throw new Error("src/inference/worker-thread-entry.ts runs as a worker thread only");
const port = parentPort;
port.on(
  "message",
  obeyInTurn({
    reply: (message, transfer) => port.postMessage(message, transfer),
    // Nothing is left to wait for: the thread ends by itself. Ending it from outside could abort a run.
    close: () => port.close(),
  }),
);
