import { setTimeout as delay } from "node:timers/promises";
import type { Order, Reply } from "./worker-messages.ts";
import { type SpawnWorker, WorkerThread } from "./worker-thread.ts";

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly spawn: SpawnWorker;
  /** Makes a new worker ready to run. A throw at the start stops the start; later it counts as a failed restart. */
  readonly prepare: (thread: WorkerThread) => Promise<void>;
  /** A worker came back, or the last one is gone for good. */
  readonly onChange: () => void;
  readonly onWarning: (warning: string) => void;
  /** How long to wait before the n-th restart in a row; from 100 ms, doubling, where undefined. */
  readonly restartWaitMs?: ((failures: number) => number) | undefined;
}

/** An order and the buffers that go with it instead of being copied. */
export interface PostedOrder {
  readonly order: Order;
  readonly transfer: ArrayBuffer[];
}

/** One worker's place in the pool, whichever thread fills it at the moment. */
interface Seat {
  thread: WorkerThread;
  /** Runs that were sent to it and are not answered yet. */
  running: number;
  /** Deaths and failed restarts since the last run that went well. */
  failures: number;
}

/** Deaths in a row after which a worker is given up: with the waits below, about 25 seconds of trying. */
const failuresMax = 8;
const doublingWaitMs = (failures: number): number => 100 * 2 ** (failures - 1);

/** Runs that a worker may be sent before it has answered the first: one to do, and one to go on with at once. */
const runsMax = 2;

/** A fixed number of inference workers, each with at most two runs to do; the dead are replaced. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #seats = new Set<Seat>();
  readonly #closing = new AbortController();
  readonly #restarts = new Set<Promise<void>>();

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves once every worker is ready. @throws whatever `prepare` throws first; no thread is left behind. */
  static async open(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const threads = Array.from({ length: options.workers }, () => new WorkerThread(options.spawn));
    const prepared = await Promise.allSettled(threads.map((thread) => options.prepare(thread)));
    const failed = prepared.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await Promise.all(threads.map((thread) => thread.exit()));
      throw failed.reason;
    }
    for (const thread of threads) pool.#seat({ thread, running: 0, failures: 0 });
    return pool;
  }

  /** Whether a run would start at once. */
  get hasIdle(): boolean {
    return this.#leastBusy()?.running === 0;
  }

  /** Whether a run could be sent ahead, to a worker that has one to do. */
  get hasRoom(): boolean {
    return this.#leastBusy() !== undefined;
  }

  /** False once every worker was given up. */
  get isUsable(): boolean {
    return this.#seats.size > 0;
  }

  /**
   * Runs what `orderFor` makes for a worker's very thread, on the one with the least to do.
   * @throws {Error} where no worker has room, or it dies before it has answered.
   */
  async run(orderFor: (thread: WorkerThread) => PostedOrder): Promise<Reply> {
    const seat = this.#leastBusy();
    if (seat === undefined) throw new Error("no inference worker is idle");
    const { order, transfer } = orderFor(seat.thread);
    seat.running += 1;
    const reply = await seat.thread.call(order, transfer);
    seat.failures = 0;
    seat.running -= 1;
    return reply;
  }

  /** Ends every worker; the caller has seen to it that none is in a run. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#restarts);
    await Promise.all([...this.#seats].map((seat) => seat.thread.exit()));
  }

  #leastBusy(): Seat | undefined {
    let least: Seat | undefined;
    for (const seat of this.#seats) if (seat.running < (least?.running ?? runsMax)) least = seat;
    return least;
  }

  #seat(seat: Seat): void {
    this.#seats.add(seat);
    seat.running = 0;
    seat.thread.ended.then((cause) => {
      seat.running = runsMax;
      if (this.#closing.signal.aborted) return;
      const restart = this.#restart(seat, `an inference worker died (${cause})`);
      this.#restarts.add(restart);
      restart.finally(() => this.#restarts.delete(restart));
    });
  }

  /** Tries, with growing waits, until a new thread is ready or the seat is given up. */
  async #restart(seat: Seat, why: string): Promise<void> {
    const { spawn, prepare, onChange, onWarning, restartWaitMs = doublingWaitMs } = this.#options;
    for (let cause = why; ; ) {
      seat.failures += 1;
      if (seat.failures > failuresMax) {
        this.#seats.delete(seat);
        onWarning(
          `${cause}; given up after ${failuresMax} failures in a row, ${this.#seats.size} of ${this.#options.workers} workers left; restart the server once the cause is mended`,
        );
        return onChange();
      }
      const waitMs = restartWaitMs(seat.failures);
      onWarning(`${cause}; replaced in ${waitMs} ms (failure ${seat.failures} of ${failuresMax} in a row)`);
      await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
      const thread = new WorkerThread(spawn);
      try {
        await prepare(thread);
        seat.thread = thread;
        this.#seat(seat);
        return onChange();
      } catch (error) {
        cause = `an inference worker could not be replaced (${error instanceof Error ? error.message : String(error)})`;
        await thread.exit();
      }
    }
  }
}
