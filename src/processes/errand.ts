import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { messageOf } from "../domain/error.ts";

/** Why an errand came to nothing. */
export interface Problem {
  readonly problem: string;
}

/**
 * Work that a process of its own does once and ends: whoever answers requests shares neither its memory nor its event
 * loop with it, and goes before it where there are too few processors. One at a time.
 */
export class Errand<Order extends object, Answer extends object> {
  readonly #script: URL;
  readonly #what: string;
  #child: ChildProcess | undefined;

  /**
   * @param script calls `runErrand`.
   * @param what it is, for sentences: `the analysis`.
   */
  constructor(script: URL, what: string) {
    this.#script = script;
    this.#what = what;
  }

  /** Never rejects. Resolves once the process is gone, and with it what it had locked. */
  async run(order: Order): Promise<Answer | Problem> {
    let ended: Promise<Problem> | undefined;
    try {
      const child = fork(this.#script, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
      this.#child = child;
      ended = once(child, "exit").then(([code, signal]) => ({
        problem: `${this.#what} ended with ${signal ?? code}`,
      }));
      ended.catch(() => undefined);
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
      const answered = once(child, "message").then(([message]) => message as Answer | Problem);
      answered.catch(() => undefined);
      child.send(order);
      return await Promise.race([answered, ended]);
    } catch (error) {
      return { problem: `${this.#what} could not begin: ${messageOf(error)}` };
    } finally {
      await ended?.catch(() => undefined);
      this.#child = undefined;
    }
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }
}

/** The other end: does what it is told, says what came of it, and ends; also where whoever sent it ends. */
export function runErrand<Order, Answer extends object>(work: (order: Order) => Promise<Answer>): void {
  process.once("message", async (order: Order) => {
    const answer = await work(order).catch((error: unknown): Problem => ({ problem: messageOf(error) }));
    process.send?.(answer, () => process.exit(0));
  });
  process.on("disconnect", () => process.exit(1));
}
