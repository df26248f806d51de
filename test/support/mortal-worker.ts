/** Our inference worker, which also dies when it is told to: how else would a test see one die? */
import { parentPort } from "node:worker_threads";
import "../../src/inference/worker.ts";

parentPort?.on("message", (order: { kind: string }) => {
  if (order.kind === "die") process.exit(3);
  if (order.kind === "throw") throw new Error("thrown by a test");
});
