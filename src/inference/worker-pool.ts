import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../domain/error.ts";
import type { RemoteWorker } from "./remote-worker.ts";
import { WorkerHost } from "./worker-host.ts";
import type { SpawnWorker } from "./worker-link.ts";
import type { Order, Reply } from "./worker-messages.ts";

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly spawn: SpawnWorker;
  /**
   * Loads models into a new thread or process, those at `places` as far as there still are any, and says which it
   * loaded. Without `places` it is the pool's first, and says what every other has to load. A throw at the start stops
   * the start; later it counts as a failed restart.
   */
  readonly prepare: (
    worker: RemoteWorker,
    places: readonly number[] | undefined,
  ) => Promise<readonly number[]>;
  /** A worker came back, or the last one is gone for good. */
  readonly onChange: () => void;
  /** A worker that was in the pool ended unasked. */
  readonly onDeath?: (() => void) | undefined;
  readonly onWarning: (warning: string) => void;
  /** Every worker has ended: nothing is loaded any more. */
  readonly onClosed?: (() => void) | undefined;
  /** A run that takes longer hangs, and its worker is ended where it can be; 10 s where undefined. */
  readonly runMsMax?: number | undefined;
  /** How long to wait before the n-th restart in a row; not at all, then from 100 ms, doubling, where undefined. */
  readonly restartWaitMs?: ((failures: number) => number) | undefined;
}

/** An order and the buffers that go with it instead of being copied. */
export interface PostedOrder {
  readonly order: Order;
  readonly transfer: ArrayBuffer[];
}

/**
 * One worker's place in the pool: it does one run at a time, whichever of its hosts that is for. The first host holds
 * the models of the start; a model that came later stands in one beside it, where loading it delayed nobody.
 */
interface Seat {
  readonly hosts: Set<WorkerHost>;
  /** One whose models are gone, kept for the next: starting a thread costs three times what loading does. */
  spare: WorkerHost | undefined;
}

/** Deaths in a row after which a worker is given up: with the waits below, about 25 seconds of trying. */
const failuresMax = 9;
/** A worker that ran well until now is wanted back at once; one that dies again may need something that is not there yet. */
const doublingWaitMs = (failures: number): number => (failures === 1 ? 0 : 100 * 2 ** (failures - 2));

/** A hundred times what the largest request takes. */
const runMsMaxDefault = 10_000;

/** A provider may compile for minutes. */
const loadMsMax = 600_000;

/** Runs that a worker may be sent before it has answered the first: one to do, and one to go on with at once. */
const runsMax = 2;

/** A fixed number of inference workers, each with at most two runs to do; the dead are replaced. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #seats = new Set<Seat>();
  readonly #closing = new AbortController();
  /** Restarts and loads under way. */
  readonly #busy = new Set<Promise<unknown>>();

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** Resolves once every worker is ready. @throws whatever `prepare` throws first; none is left behind. */
  static async open(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const hosts = Array.from({ length: options.workers }, () => new WorkerHost(options.spawn));
    const [first, ...others] = hosts as [WorkerHost, ...WorkerHost[]];
    try {
      const places = await options.prepare(first.worker, undefined);
      const prepared = await Promise.allSettled(others.map(({ worker }) => options.prepare(worker, places)));
      const failed = prepared.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      for (const host of hosts) pool.#seat(host, places);
      return pool;
    } catch (error) {
      await Promise.all(hosts.map(({ worker }) => worker.exit()));
      throw error;
    }
  }

  /** Whether a run would start at once. */
  get hasIdle(): boolean {
    return this.#leastBusy().runs === 0;
  }

  /** Whether a run could be sent ahead, to a worker that has one to do. */
  get hasRoom(): boolean {
    return this.#leastBusy().runs < runsMax;
  }

  /** False once every worker was given up. */
  get isUsable(): boolean {
    return this.#seats.size > 0;
  }

  /**
   * Runs what `orderFor` makes for the very host that is to do it, of the worker with the least to do.
   * @param place the model that it is for.
   * @throws {Error} where no worker has room, or it dies before it has answered.
   */
  async run(place: number, orderFor: (host: WorkerHost) => PostedOrder): Promise<Reply> {
    const { seat } = this.#leastBusy();
    let host: WorkerHost | undefined;
    for (const one of seat?.hosts ?? []) if (one.places.has(place)) host = one;
    if (host === undefined) throw new Error("no inference worker is idle");
    const { order, transfer } = orderFor(host);
    const { worker } = host;
    host.running += 1;
    const hanging = setTimeout(() => worker.kill(), this.#options.runMsMax ?? runMsMaxDefault);
    try {
      const reply = await worker.call(order, transfer);
      host.failures = 0;
      return reply;
    } finally {
      clearTimeout(hanging);
      // One that takes the place of a dead one begins with none.
      if (host.worker === worker) host.running -= 1;
    }
  }

  /**
   * Lets `load` put one more model into a host of each worker that is not on the live path, one worker after the
   * other. Runs for it can be sent once this has resolved.
   * @throws whatever `load` throws; no worker holds the model then.
   */
  add(place: number, load: (host: WorkerHost) => Promise<void>): Promise<void> {
    return this.#track(this.#add(place, load));
  }

  async #add(place: number, load: (host: WorkerHost) => Promise<void>): Promise<void> {
    const loaded = new Map<Seat, WorkerHost>();
    try {
      for (const seat of this.#seats) {
        const host = this.#takeSpare(seat);
        loaded.set(seat, host);
        await this.#within(host.worker, load(host));
        if (this.#closing.signal.aborted) throw new Error("the server is stopping");
      }
    } catch (error) {
      await Promise.all([...loaded].map(([seat, host]) => this.#emptied(seat, host, place)));
      throw error;
    }
    for (const [seat, host] of loaded) {
      if (this.#seats.has(seat)) this.#addTo(seat, host, [place]);
      else host.worker.exit();
    }
  }

  /** Takes a model out of every worker; the caller has seen to it that no run for it is to come. */
  remove(place: number): Promise<void> {
    const emptied = [...this.#seats].flatMap((seat) =>
      [...seat.hosts]
        .filter(({ places }) => places.has(place))
        .map((host) => this.#emptied(seat, host, place)),
    );
    return this.#track(Promise.all(emptied)).then(() => undefined);
  }

  /** Ends every worker; the caller has seen to it that none is in a run. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#busy);
    await Promise.all([...this.#seats].flatMap(workersOf).map((worker) => worker.exit()));
    this.#options.onClosed?.();
  }

  /** Ends a worker that comes to no end with loading: after very long, or soon once the pool closes. */
  async #within<Result>(worker: RemoteWorker, loading: Promise<Result>): Promise<Result> {
    const end = (): void => worker.kill();
    const late = setTimeout(end, loadMsMax);
    let closing: NodeJS.Timeout | undefined;
    const soon = (): void => {
      closing = setTimeout(end, this.#options.runMsMax ?? runMsMaxDefault);
    };
    this.#closing.signal.addEventListener("abort", soon, { once: true });
    try {
      return await loading;
    } finally {
      clearTimeout(late);
      clearTimeout(closing);
      this.#closing.signal.removeEventListener("abort", soon);
    }
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    this.#busy.add(work);
    const done = (): void => void this.#busy.delete(work);
    work.then(done, done);
    return work;
  }

  #leastBusy(): { readonly seat: Seat | undefined; readonly runs: number } {
    let least: Seat | undefined;
    let runs = runsMax;
    for (const seat of this.#seats) {
      let sum = 0;
      for (const { running, isDown } of seat.hosts) sum += isDown ? runsMax : running;
      if (sum >= runs) continue;
      least = seat;
      runs = sum;
    }
    return { seat: least, runs };
  }

  #seat(host: WorkerHost, places: readonly number[]): void {
    const seat: Seat = { hosts: new Set(), spare: undefined };
    this.#seats.add(seat);
    this.#addTo(seat, host, places);
  }

  #addTo(seat: Seat, host: WorkerHost, places: readonly number[]): void {
    for (const place of places) host.places.add(place);
    seat.hosts.add(host);
    this.#watch(seat, host);
  }

  #watch(seat: Seat, host: WorkerHost): void {
    const { worker } = host;
    worker.ended.then((cause) => {
      const isOurs = this.#seats.has(seat) && seat.hosts.has(host) && host.worker === worker;
      if (this.#closing.signal.aborted || !isOurs) return;
      host.isDown = true;
      this.#options.onDeath?.();
      this.#track(this.#restart(seat, host, `an inference worker died (${cause})`));
    });
  }

  #takeSpare(seat: Seat): WorkerHost {
    const { spare } = seat;
    seat.spare = undefined;
    return spare === undefined || spare.worker.isDead ? new WorkerHost(this.#options.spawn) : spare;
  }

  /** Takes a model out of a host; one that holds none any more is kept for the next, or ends where there is one. */
  async #emptied(seat: Seat, host: WorkerHost, place: number): Promise<void> {
    host.remove(place);
    // One that dies meanwhile holds nothing either.
    const reply = await host.worker.call({ kind: "unload", model: place }).catch(() => undefined);
    if (host.places.size > 0 || host.isDown) return;
    seat.hosts.delete(host);
    const usable = reply?.kind === "unloaded" && seat.spare === undefined && this.#seats.has(seat);
    if (usable && !this.#closing.signal.aborted) seat.spare = host;
    else await host.worker.exit();
  }

  /** Tries, with growing waits, until a new host is ready or the worker is given up. */
  async #restart(seat: Seat, host: WorkerHost, why: string): Promise<void> {
    const { prepare, onChange, onWarning, restartWaitMs = doublingWaitMs } = this.#options;
    for (let cause = why; ; ) {
      host.failures += 1;
      if (host.failures > failuresMax) {
        this.#seats.delete(seat);
        for (const worker of workersOf(seat)) if (worker !== host.worker) worker.exit();
        onWarning(
          `${cause}; given up after ${failuresMax} failures in a row, ${this.#seats.size} of ${this.#options.workers} workers left; restart the server once the cause is mended`,
        );
        return onChange();
      }
      const waitMs = restartWaitMs(host.failures);
      const when = waitMs === 0 ? "at once" : `in ${waitMs} ms`;
      onWarning(`${cause}; replaced ${when} (failure ${host.failures} of ${failuresMax} in a row)`);
      await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
      try {
        host.replaceWorker();
        const places = await this.#within(host.worker, prepare(host.worker, [...host.places]));
        // What was taken out while it loaded is not wanted in it any more.
        for (const place of places) {
          if (!host.places.has(place)) await host.worker.call({ kind: "unload", model: place });
        }
        host.isDown = false;
        if (host.places.size === 0) {
          seat.hosts.delete(host);
          await host.worker.exit();
        } else this.#watch(seat, host);
        return onChange();
      } catch (error) {
        cause = `an inference worker could not be replaced (${messageOf(error)})`;
        await host.worker.exit();
      }
    }
  }
}

function workersOf({ hosts, spare }: Seat): RemoteWorker[] {
  return [...hosts, ...(spare === undefined ? [] : [spare])].map(({ worker }) => worker);
}
