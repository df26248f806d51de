import { Worker } from "node:worker_threads";
import type { SpawnWorker } from "../../src/inference/worker-thread.ts";

/** Workers that a test can look at: every one that was started, and every run that one was given. */
export interface ObservedWorkers {
  readonly spawn: SpawnWorker;
  readonly started: Worker[];
  /** Requests of each run, since the last `runs.length = 0`. */
  readonly runs: number[];
  /** Candidates of each run. */
  readonly candidates: number[];
}

const ourWorker = new URL("../../src/inference/worker.ts", import.meta.url);

export function observeWorkers(file = ourWorker): ObservedWorkers {
  const started: Worker[] = [];
  const runs: number[] = [];
  const candidates: number[] = [];
  const spawn = (): Worker => {
    const worker = new Worker(file);
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (order: { batch?: { requests: number; candidates: number } }, transfer) => {
      if (order.batch !== undefined) {
        runs.push(order.batch.requests);
        candidates.push(order.batch.candidates);
      }
      post(order, transfer as ArrayBuffer[]);
    };
    started.push(worker);
    return worker;
  };
  return { spawn, started, runs, candidates };
}
