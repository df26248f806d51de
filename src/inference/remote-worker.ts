import type { SpawnWorker, WorkerLink } from "./worker-link.ts";
import type { Order, Reply } from "./worker-messages.ts";

/** What it is doing takes milliseconds: longer than this it hangs. */
const exitMsMax = 10_000;

/** The order was not begun: another worker may do it. */
export class NotBegunError extends Error {}

/** A worker as the answering thread sees it: orders are answered in their order, and its death is made visible. */
export class RemoteWorker {
  /** Resolves with the reason once the worker is gone, whoever ended it. */
  readonly ended: Promise<string>;
  readonly #link: WorkerLink;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #dead: string | undefined;

  constructor(spawn: SpawnWorker) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#link = spawn({
      reply: (reply) => this.#waiting.shift()?.resolve(reply),
      ended: (cause) => {
        this.#dead = `the inference worker ended: ${cause}`;
        const [begun, ...others] = this.#waiting.splice(0);
        begun?.reject(new Error(this.#dead));
        for (const { reject } of others) reject(new NotBegunError(this.#dead));
        resolve(cause);
      },
    });
  }

  get isDead(): boolean {
    return this.#dead !== undefined;
  }

  /** @throws {Error} where the worker goes before it has answered; a NotBegunError where it had not begun, or was gone. */
  call(order: Order, transfer: ArrayBuffer[] = []): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(new NotBegunError(this.#dead));
      // Where it cannot be sent this throws, and no answer is waited for that would be another order's.
      this.#link.post(order, transfer);
      this.#waiting.push({ resolve, reject });
    });
  }

  /** Ends it where it answers nothing any more; what it was doing is then rejected. A thread is left as it is. */
  kill(): void {
    this.#link.kill();
  }

  /** Asks the worker to end after what it is doing; ending a thread from outside in a run would abort the process. */
  async exit(): Promise<void> {
    this.#link.post({ kind: "exit" }, []);
    const late = setTimeout(() => this.kill(), exitMsMax);
    await this.ended;
    clearTimeout(late);
  }
}
