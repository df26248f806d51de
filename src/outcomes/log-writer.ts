import { SetlistError } from "../domain/error.ts";
import type { Clock, SyncedEnd } from "../domain/ports.ts";
import { Batch } from "./batch.ts";
import type { SegmentOwner } from "./live-segment.ts";
import type { SegmentChain } from "./segment-chain.ts";

/** More than this waiting for the disk means that it stands still: refusing is better than running out of memory. */
const pendingBytesMax = 64 * 1024 * 1024;

/** After a failure the disk is left alone for so long: a full disk is not helped by a thousand attempts a second. */
const pauseMs = 250;

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly syncIntervalMs: number;
  readonly onWritten: (batch: Batch) => void;
  /** The outcomes of the batch were refused. */
  readonly onRefused: (batch: Batch) => void;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * One loop that writes whatever has come since its last write, and syncs beside it (group commit). After a failure
 * everything that was not yet acknowledged is refused, and the next append after a pause first repairs the segment.
 */
export class LogWriter implements SegmentOwner {
  /** Where appends go until the loop takes it: `wake`, then append in the same task. */
  pending = new Batch();
  readonly #options: LogWriterOptions;
  #chain: SegmentChain | undefined;
  readonly #spare: Batch[] = [];
  /** Batches with outcomes that are written or being written, and not synced. */
  readonly #unsynced = new Set<Batch>();
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown; readonly retryAt: number } | undefined;
  #settling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  start(chain: SegmentChain): void {
    this.#chain = chain;
  }

  /** Why nothing is taken right now, undefined where it is. */
  refusal(): SetlistError | undefined {
    if (this.#closed) return unavailable("the outcome log is closed", undefined);
    if (this.pending.bytes > pendingBytesMax) {
      return unavailable(`the disk is behind by ${this.pending.bytes} bytes`, undefined);
    }
    if (this.#failure === undefined) return undefined;
    const waiting = this.#settling !== undefined || this.#options.clock.monotonic() < this.#failure.retryAt;
    return waiting ? refused(this.#failure.error) : undefined;
  }

  /** Has `pending` written soon: all that is appended before this task ends goes into one write. */
  wake(): void {
    this.#writing ??= Promise.resolve().then(() => this.#writeAll());
  }

  /** Resolves once every outcome that was appended by now is on the disk. */
  async allSynced(): Promise<void> {
    const batches = [...this.#unsynced];
    if (this.pending.outcomes.used > 0) batches.push(this.pending);
    await Promise.all(batches.map((batch) => batch.synced.promise));
  }

  /** How much of each segment that is not sealed yet is on the disk. */
  syncedEnds(): SyncedEnd[] {
    return this.#segments().synced();
  }

  synced(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#unsynced.delete(batch);
      batch.synced.resolve();
      this.#recycle(batch);
    }
  }

  failed(error: unknown): void {
    if (this.#failure !== undefined && this.#settling !== undefined) return;
    this.#failure = { error, retryAt: this.#options.clock.monotonic() + pauseMs };
    this.#settling = this.#refuseAll(error).finally(() => {
      this.#settling = undefined;
    });
    this.#options.onWarning(
      "the disk refuses the outcome log: nothing is acknowledged until it takes writes again",
      { error: String(error) },
    );
  }

  /** Drains, syncs and seals. @throws where that fails; what was acknowledged is on the disk all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    clearTimeout(this.#timer);
    await this.#settling;
    try {
      if (this.#failure !== undefined) await this.#repair();
    } catch (error) {
      await this.#segments().abandon();
      throw refused(error);
    }
    await this.#segments().close();
  }

  async #writeAll(): Promise<void> {
    let batch: Batch | undefined;
    try {
      while (this.pending.bytes > 0 && this.#settling === undefined) {
        if (this.#failure !== undefined) await this.#repair();
        const segment = await this.#segments().take(this.pending.bytes);
        // A sync may have failed in the meantime; `pending` is then refused with the rest.
        if (this.#settling !== undefined) return;
        batch = this.#takePending();
        await segment.write(batch);
        const hasOutcomes = batch.outcomes.used > 0;
        this.#options.onWritten(batch);
        batch.written.resolve();
        if (hasOutcomes) segment.requestSync();
        else {
          this.#syncLater();
          this.#recycle(batch);
        }
        batch = undefined;
      }
    } catch (error) {
      this.failed(error);
      if (batch !== undefined) this.#refuse(batch, error);
    } finally {
      this.#writing = undefined;
    }
  }

  #takePending(): Batch {
    const batch = this.pending;
    this.pending = this.#spare.pop() ?? new Batch();
    if (batch.outcomes.used > 0) this.#unsynced.add(batch);
    return batch;
  }

  #recycle(batch: Batch): void {
    batch.reset();
    this.#spare.push(batch);
  }

  #syncLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#segments().requestSync();
    }, this.#options.syncIntervalMs).unref();
  }

  /** A write or a sync that is still under way may succeed: only what is left then is refused. */
  async #refuseAll(error: unknown): Promise<void> {
    await this.#writing;
    await this.#segments().settle();
    for (const batch of this.#segments().takeUnsynced()) this.#refuse(batch, error);
    const pending = this.pending;
    this.pending = new Batch();
    this.#refuse(pending, error);
  }

  #refuse(batch: Batch, error: unknown): void {
    this.#unsynced.delete(batch);
    this.#options.onRefused(batch);
    const reason = refused(error);
    batch.written.reject(reason);
    batch.synced.reject(reason);
  }

  async #repair(): Promise<void> {
    await this.#segments().repair();
    this.#failure = undefined;
    this.#options.onWarning("the outcome log is written again", {});
  }

  #segments(): SegmentChain {
    if (this.#chain === undefined) throw new Error("the log writer has no segments yet");
    return this.#chain;
  }
}

function refused(error: unknown): SetlistError {
  return unavailable(`the disk refuses: ${error instanceof Error ? error.message : String(error)}`, error);
}

function unavailable(why: string, cause: unknown): SetlistError {
  return new SetlistError("UNAVAILABLE", `the outcome log takes nothing right now: ${why}`, {
    cause,
    retryAfterSeconds: 1,
  });
}
