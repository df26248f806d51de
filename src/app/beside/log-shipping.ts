import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { SetlistConfig } from "../../config.ts";
import type { SyncedEnd } from "../../domain/log-reading.ts";
import type { ShippingStatus } from "../../domain/shipping.ts";
import type { ShippingMetrics } from "../../telemetry/telemetry.ts";

/** What the shipping process is told. */
export type ShippingOrder =
  | Pick<SetlistConfig, "dataDir" | "shipping">
  | { readonly synced: readonly SyncedEnd[]; readonly closed: boolean };

/** What it says. */
export type ShippingWord =
  | { readonly status: ShippingStatus }
  | { readonly warning: string; readonly fields: Record<string, unknown> }
  | { readonly problem: string };

const script = fileURLToPath(new URL("./shipping-process.ts", import.meta.url));

/** How often the process hears what is on the disk. */
const syncedMs = 50;
/** One that ended is started again after so long, twice as long after each more. */
const restartMsMin = 500;
const restartMsMax = 60_000;
/** What a stopped server has not sent by then waits for its next start. */
const drainMsMax = 5_000;

export interface LogShippingOptions extends Pick<SetlistConfig, "dataDir" | "shipping"> {
  readonly onWarning: (message: string, fields?: Record<string, unknown>) => void;
  readonly metrics: ShippingMetrics;
}

/**
 * Has a log sent to Kafka by a process of its own, at a low priority, which is started again should it end. It is told
 * what is on the disk by whoever writes the log, so that nothing is sent that a power cut takes back.
 */
export class LogShipping {
  readonly #options: LogShippingOptions;
  #log: { syncedEnds(): readonly SyncedEnd[] } | undefined;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #restartMs = restartMsMin;
  #told = "";
  #problem: string | undefined;
  #isClosed = false;

  constructor(options: LogShippingOptions) {
    this.#options = options;
  }

  begin(log: { syncedEnds(): readonly SyncedEnd[] }): void {
    this.#log = log;
    this.#start();
    this.#timer = setInterval(() => this.#tell(), syncedMs).unref();
  }

  /** To be called once the log is closed: sends what is left of it, as long as that goes well and soon. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, "exit");
    this.#send(child, { synced: [], closed: true });
    // While the brokers are gone there is nothing to wait for.
    const late = setTimeout(() => child.kill("SIGKILL"), this.#problem === undefined ? drainMsMax : 0);
    await ended;
    clearTimeout(late);
  }

  #start(): void {
    const { dataDir, shipping, metrics } = this.#options;
    const child = fork(script, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child = child;
    if (child.pid !== undefined) lower(child.pid);
    metrics.started();
    child.on("message", (word: ShippingWord) => this.#hear(word));
    child.on("error", (error) => this.#warnOnce(error.message));
    child.on("exit", (code, signal) => {
      this.#child = undefined;
      if (this.#isClosed) return;
      this.#warnOnce(`the shipping process ended with ${signal ?? code}`);
      this.#restart = setTimeout(() => this.#start(), this.#restartMs).unref();
      this.#restartMs = Math.min(this.#restartMs * 2, restartMsMax);
    });
    this.#send(child, { dataDir, shipping });
    this.#told = "";
    this.#tell();
  }

  #tell(): void {
    const child = this.#child;
    if (child === undefined || this.#log === undefined || this.#isClosed) return;
    const synced = this.#log.syncedEnds();
    const told = JSON.stringify(synced);
    if (told === this.#told) return;
    this.#told = told;
    this.#send(child, { synced, closed: false });
  }

  /** One that has just ended is started again, and told anew. */
  #send(child: ChildProcess, order: ShippingOrder): void {
    if (child.connected) child.send(order, () => undefined);
  }

  #hear(word: ShippingWord): void {
    const { onWarning, metrics } = this.#options;
    if ("warning" in word) onWarning(`shipping: ${word.warning}`, word.fields);
    else if ("problem" in word) this.#warnOnce(word.problem);
    else {
      metrics.note(word.status);
      if (word.status.lastSuccessAt !== undefined) this.#restartMs = restartMsMin;
      if (word.status.problem !== undefined) this.#warnOnce(word.status.problem);
      else if (this.#problem !== undefined && word.status.records > 0) {
        this.#problem = undefined;
        onWarning("shipping: the log is sent to Kafka again");
      }
    }
  }

  /** A failure that goes on is said once; the metrics count it. */
  #warnOnce(problem: string): void {
    if (this.#problem === undefined)
      this.#options.onWarning("shipping: the log is not sent to Kafka: it is kept, and sent later", {
        problem,
      });
    this.#problem = problem;
  }
}

/**
 * Serving goes before shipping where there are too few cores for both. A log that is not sent fills the disk, so that
 * shipping has a share of a machine that is never idle too: a quarter of a core's, where one other process wants it.
 */
const niceness = 5;

function lower(pid: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, which is met where its end is.
  }
}
