import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Isolation } from "../../src/domain/isolation.ts";
import type { SpawnWorker, WorkerLink } from "../../src/inference/worker-link.ts";
import type { Order } from "../../src/inference/worker-messages.ts";
import { forkWorker, linkToProcess } from "../../src/inference/worker-process.ts";
import { linkToThread, spawnWorkerThread } from "../../src/inference/worker-thread.ts";

/** One that was started. */
export interface ObservedWorker {
  /** What the server sends through; a test may put something of its own before it. */
  post: WorkerLink["post"];
  /** `die` and `throw` in mortal workers, `crash` (a segmentation fault) in mortal processes. */
  tell(kind: "die" | "throw" | "crash"): void;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
  hasEnded: boolean;
}

/** Workers that a test can look at: every one that was started, and every run that one was given. */
export interface ObservedWorkers {
  readonly spawn: SpawnWorker;
  readonly started: ObservedWorker[];
  /** Requests of each run, since the last `runs.length = 0`. */
  readonly runs: number[];
  /** Candidates of each run. */
  readonly candidates: number[];
}

const mortal = new URL("./mortal-worker.ts", import.meta.url);

/** Starts workers that die when they are told to. */
export const mortalWorkers: Readonly<Record<Isolation, SpawnWorker>> = {
  thread: (events) => linkToThread(new Worker(mortal), events),
  process: (events) => linkToProcess(forkWorker(fileURLToPath(mortal)), events),
};

export function observeWorkers(spawnWorker: SpawnWorker = spawnWorkerThread): ObservedWorkers {
  const started: ObservedWorker[] = [];
  const runs: number[] = [];
  const candidates: number[] = [];
  const spawn: SpawnWorker = (events) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const link = spawnWorker({
      reply: (reply) => events.reply(reply),
      ended(cause) {
        worker.hasEnded = true;
        events.ended(cause);
        resolve(cause);
      },
    });
    const worker: ObservedWorker = {
      post(order, transfer) {
        if (order.kind === "run" || order.kind === "run-split") {
          runs.push(order.batch.requests);
          candidates.push(order.batch.candidates);
        }
        link.post(order, transfer);
      },
      tell: (kind) => link.post({ kind } as unknown as Order, []),
      ended: promise,
      hasEnded: false,
    };
    started.push(worker);
    return { post: (order, transfer) => worker.post(order, transfer), kill: () => link.kill() };
  };
  return { spawn, started, runs, candidates };
}
