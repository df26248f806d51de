import type { Isolation } from "../domain/isolation.ts";
import type { SpawnWorker } from "./worker-link.ts";
import { spawnWorkerProcess } from "./worker-process.ts";
import { spawnWorkerThread } from "./worker-thread.ts";

/** How a worker of each kind is started. */
export const spawners: Readonly<Record<Isolation, SpawnWorker>> = {
  thread: spawnWorkerThread,
  process: spawnWorkerProcess,
};
