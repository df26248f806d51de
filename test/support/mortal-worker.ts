/** Our inference worker of either kind, which also dies when it is told to: how else would a test see one die? */
import { parentPort } from "node:worker_threads";

await import(
  parentPort === null
    ? "../../src/inference/worker-process-entry.ts"
    : "../../src/inference/worker-thread-entry.ts"
);

const obey = (order: { kind: string }): void => {
  if (order.kind === "die") process.exit(3);
  if (order.kind === "throw") throw new Error("thrown by a test");
  if (order.kind === "crash") process.kill(process.pid, "SIGSEGV");
};
if (parentPort === null) process.on("message", obey as (message: unknown) => void);
else parentPort.on("message", obey);
