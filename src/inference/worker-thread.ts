import { Worker } from "node:worker_threads";
import type { Order, Reply } from "./worker-messages.ts";

/** Starts a worker that speaks `Order` and `Reply`. */
export type SpawnWorker = () => Worker;

export const spawnInferenceWorker: SpawnWorker = () =>
  new Worker(new URL("./worker.ts", import.meta.url), { name: "setlist-inference" });

/** The order was not begun: another worker may do it. */
export class NotBegunError extends Error {}

/** The answering thread's end of one worker: orders are answered in their order, and its death is made visible. */
export class WorkerThread {
  /** Resolves with the reason once the thread is gone, whoever ended it. */
  readonly ended: Promise<string>;
  readonly #worker: Worker;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #dead: string | undefined;

  constructor(spawn: SpawnWorker) {
    this.#worker = spawn();
    this.#worker.on("message", (reply: Reply) => {
      this.#waiting.shift()?.resolve(reply);
    });
    let thrown: unknown;
    this.#worker.on("error", (error: unknown) => {
      thrown = error;
    });
    this.ended = new Promise((resolve) => {
      this.#worker.on("exit", (code) => {
        const cause = thrown instanceof Error ? thrown.message : `exit code ${code}`;
        this.#dead = `the inference worker ended: ${cause}`;
        const [begun, ...others] = this.#waiting.splice(0);
        begun?.reject(new Error(this.#dead));
        for (const { reject } of others) reject(new NotBegunError(this.#dead));
        resolve(cause);
      });
    });
  }

  get isDead(): boolean {
    return this.#dead !== undefined;
  }

  /** @throws {Error} where the thread is gone, or goes before it has answered. */
  call(order: Order, transfer: ArrayBuffer[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(new Error(this.#dead));
      // Where it cannot be sent this throws, and no answer is waited for that would be another order's.
      this.#worker.postMessage(order, transfer);
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Asks the thread to end after what it is doing; ending it from outside in a run would abort the process. */
  async exit(): Promise<void> {
    this.#worker.postMessage({ kind: "exit" } satisfies Order);
    await this.ended;
  }
}
