import { Worker } from "node:worker_threads";
import type { Order, Reply } from "./worker-messages.ts";

/** Starts a worker that speaks `Order` and `Reply`. */
export type SpawnWorker = () => Worker;

export const spawnInferenceWorker: SpawnWorker = () =>
  new Worker(new URL("./worker.ts", import.meta.url), { name: "setlist-inference" });

/** The answering thread's end of one worker: one order at a time, and its death made visible. */
export class WorkerThread {
  /** Resolves with the reason once the thread is gone, whoever ended it. */
  readonly ended: Promise<string>;
  readonly #worker: Worker;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;
  #dead: string | undefined;

  constructor(spawn: SpawnWorker) {
    this.#worker = spawn();
    this.#worker.on("message", (reply: Reply) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(reply);
    });
    let thrown: unknown;
    this.#worker.on("error", (error: unknown) => {
      thrown = error;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        const cause = thrown instanceof Error ? thrown.message : `exit code ${code}`;
        this.#dead = `the inference worker ended: ${cause}`;
        this.#waiting?.reject(new Error(this.#dead));
        this.#waiting = undefined;
        resolve(cause);
      });
    });
  }

  /** @throws {Error} where the thread is gone, or goes before it has answered. */
  call(order: Order, transfer: ArrayBuffer[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(new Error(this.#dead));
      if (this.#waiting !== undefined) return reject(new Error("the inference worker is busy"));
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(order, transfer);
    });
  }

  /** Asks the thread to end after what it is doing; ending it from outside in a run would abort the process. */
  async exit(): Promise<void> {
    this.#worker.postMessage({ kind: "exit" } satisfies Order);
    await this.ended;
  }
}
