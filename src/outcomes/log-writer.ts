import type { Clock } from "../domain/clock.ts";
import { messageOf, SetlistError } from "../domain/error.ts";
import type { SyncedEnd } from "../domain/log-reading.ts";
import type { LogTrouble } from "../domain/outcome-log.ts";
import { Batch } from "./batch.ts";
import { HeldImpressions } from "./held-impressions.ts";
import type { SegmentOwner } from "./live-segment.ts";
import type { SegmentChain } from "./segment-chain.ts";

/** More than this waiting for the disk means that it stands still: refusing is better than running out of memory. */
const pendingBytesMax = 64 * 1024 * 1024;

/** After a failure the disk is left alone for so long: a full disk is not helped by a thousand attempts a second. */
const pauseMs = 250;

/** Of what is written to see whether the disk takes writes again: as much as it refused, within these. */
const probeBytesMin = 4 * 1024;
const probeBytesMax = 1024 * 1024;

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly syncIntervalMs: number;
  /** Impressions that wait in memory while the disk refuses. */
  readonly heldBytesMax: number;
  /** The batch is in this segment, its outcomes from this offset on. */
  readonly onWritten: (batch: Batch, segment: number, outcomesAt: number) => void;
  /** The outcomes of the batch are durable. */
  readonly onSynced: (batch: Batch) => void;
  /** The outcomes of the batch were refused. */
  readonly onRefused: (batch: Batch) => void;
  /** Segments may hold other records than before where they had no sync. */
  readonly onMended: () => void;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

interface Failure {
  readonly error: unknown;
  /** Ms since 1970: of the first failure since the disk took writes. */
  readonly since: number;
  /** Monotonic ms. */
  readonly retryAt: number;
  /** What it refused. */
  readonly bytes: number;
}

/**
 * One loop that writes whatever has come since its last write, and syncs beside it (group commit). After a failure
 * outcomes and comparisons that were not yet acknowledged are refused, impressions wait in memory, and after a pause,
 * again and again, the segments are repaired and what waits is written.
 */
export class LogWriter implements SegmentOwner {
  /** Where appends go until the loop takes it. */
  #pending = new Batch();
  readonly #options: LogWriterOptions;
  readonly #held: HeldImpressions;
  #chain: SegmentChain | undefined;
  readonly #spare: Batch[] = [];
  /** Batches with outcomes that are written or being written, and not synced. */
  readonly #unsynced = new Set<Batch>();
  #writing: Promise<void> | undefined;
  #failure: Failure | undefined;
  #settling: Promise<void> | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#held = new HeldImpressions(options.heldBytesMax);
  }

  start(chain: SegmentChain): void {
    this.#chain = chain;
  }

  /** Whether impressions have to go to `room` right now. */
  get refuses(): boolean {
    return this.#failure !== undefined;
  }

  /**
   * While the disk refuses: where impressions of so many bytes, put there at once, wait until it takes them.
   * @throws {SetlistError} UNAVAILABLE where no more may wait, or the log is closed.
   */
  room(bytes: number): Batch {
    if (this.#closed) throw closed();
    const batch = this.#held.room(bytes);
    if (batch === undefined) throw refused(this.#failure?.error);
    return batch;
  }

  trouble(): LogTrouble | undefined {
    if (this.#failure === undefined) return undefined;
    const { error, since } = this.#failure;
    return { reason: messageOf(error), since, impressionsWaiting: this.#held.count };
  }

  /**
   * The batch for what is appended in this task, which is written soon.
   * @throws {SetlistError} UNAVAILABLE where no outcome or comparison is taken right now.
   */
  batch(): Batch {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    this.wake();
    return this.#pending;
  }

  /** Has what waits written once this task has ended. */
  wake(): void {
    // Whoever closes it ends what was begun, and repairs by itself: a segment that comes to its age then would beside it.
    if (this.#closed) return;
    this.#writing ??= Promise.resolve().then(() => this.#writeAll());
  }

  /** Resolves once every outcome that was appended by now is on the disk. */
  async allSynced(): Promise<void> {
    const batches = [...this.#unsynced];
    if (this.#pending.outcomes.used > 0) batches.push(this.#pending);
    await Promise.all(batches.map((batch) => batch.synced.promise));
  }

  /** How much of each segment that is not sealed yet is on the disk. */
  syncedEnds(): SyncedEnd[] {
    return this.#segments().synced();
  }

  synced(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#unsynced.delete(batch);
      this.#options.onSynced(batch);
      batch.synced.resolve();
      this.#recycle(batch);
    }
  }

  failed(error: unknown, bytes = 0): void {
    if (this.#failure !== undefined && this.#settling !== undefined) return;
    const { clock, onWarning } = this.#options;
    const first = this.#failure;
    this.#failure = {
      error,
      since: first?.since ?? clock.now(),
      retryAt: clock.monotonic() + pauseMs,
      bytes: Math.max(bytes, first?.bytes ?? 0),
    };
    // What comes from here on waits behind them.
    this.#keepImpressions(this.#pending, "last", error);
    this.#settling = this.#refuseAll(error).finally(() => {
      this.#settling = undefined;
      this.#retryLater();
    });
    if (first !== undefined) return;
    onWarning(
      "the disk refuses the outcome log: no outcome is acknowledged and impressions wait in memory until it takes writes again",
      { error: String(error) },
    );
  }

  /** Drains, syncs and seals. @throws where that fails; what was acknowledged is on the disk all the same. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#settling;
    await this.#writing;
    clearTimeout(this.#syncTimer);
    clearTimeout(this.#retryTimer);
    try {
      if (this.#failure !== undefined) await this.#mend();
      if (this.#failure !== undefined) throw this.#failure.error;
    } catch (error) {
      const lost = this.#held.count;
      if (lost > 0)
        this.#options.onWarning("impressions that waited for the disk are lost: it still refuses", { lost });
      await this.#segments().abandon();
      throw refused(error);
    }
    clearTimeout(this.#syncTimer);
    await this.#segments().close();
  }

  /** Why no outcome or comparison is taken right now, undefined where they are. */
  #refusal(): SetlistError | undefined {
    const refusal = this.#standstill();
    if (refusal !== undefined || this.#failure === undefined) return refusal;
    const waiting = this.#settling !== undefined || this.#options.clock.monotonic() < this.#failure.retryAt;
    return waiting ? refused(this.#failure.error) : undefined;
  }

  async #writeAll(): Promise<void> {
    let batch: Batch | undefined;
    let bytes = 0;
    try {
      if (this.#failure !== undefined && this.#settling === undefined) await this.#mend();
      while (this.#settling === undefined && this.#failure === undefined) {
        if (this.#pending.bytes === 0 && !this.#segments().isOld()) return;
        bytes = this.#pending.bytes;
        const segment = await this.#segments().take(bytes);
        // A sync may have failed in the meantime; `pending` is then refused with the rest.
        if (this.#settling !== undefined || this.#pending.bytes === 0) return;
        batch = this.#takePending();
        bytes = batch.bytes;
        const outcomesAt = await segment.write(batch);
        const hasOutcomes = batch.outcomes.used > 0;
        this.#options.onWritten(batch, segment.number, outcomesAt);
        batch.written.resolve();
        batch.compared.resolve();
        if (hasOutcomes) segment.requestSync();
        else {
          this.#syncLater();
          this.#recycle(batch);
        }
        batch = undefined;
      }
    } catch (error) {
      if (batch !== undefined) {
        // Ahead of all that came while it was being written.
        this.#keepImpressions(batch, "first", error);
        this.#refuse(batch, error);
      }
      this.failed(error, bytes);
    } finally {
      this.#writing = undefined;
    }
  }

  #takePending(): Batch {
    const batch = this.#pending;
    this.#pending = this.#spare.pop() ?? new Batch();
    if (batch.outcomes.used > 0) this.#unsynced.add(batch);
    return batch;
  }

  #recycle(batch: Batch): void {
    batch.reset();
    this.#spare.push(batch);
  }

  #syncLater(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#segments().requestSync();
    }, this.#options.syncIntervalMs).unref();
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.wake();
    }, pauseMs).unref();
  }

  /** A write or a sync that is still under way may succeed: only what is left then is refused. */
  async #refuseAll(error: unknown): Promise<void> {
    await this.#writing;
    await this.#segments().settle();
    for (const batch of this.#segments().takeUnsynced()) this.#refuse(batch, error);
    const pending = this.#pending;
    this.#pending = new Batch();
    this.#refuse(pending, error);
  }

  /** The impressions of a batch that is not written wait for the disk, and are as good as written for their answers. */
  #keepImpressions(batch: Batch, where: "first" | "last", error: unknown): void {
    if (this.#held.take(batch, where)) batch.written.resolve();
    else batch.written.reject(refused(error));
    batch.impressions.used = 0;
    batch.requestIds.length = 0;
  }

  /** Its outcomes and comparisons. */
  #refuse(batch: Batch, error: unknown): void {
    this.#unsynced.delete(batch);
    this.#options.onRefused(batch);
    const reason = refused(error);
    batch.compared.reject(reason);
    batch.synced.reject(reason);
  }

  /**
   * Brings the segments into order and writes what waits, or something else to see whether that can be done.
   * The failure is over where nothing failed meanwhile. @throws where the disk still refuses.
   */
  async #mend(): Promise<void> {
    const chain = this.#segments();
    await chain.repair();
    const written = this.#held.count;
    if (written === 0) await chain.probe(this.#probeBytes());
    for (let batch = this.#held.begin(); batch !== undefined; batch = this.#held.begin()) {
      const segment = await chain.take(batch.bytes);
      if (this.#settling !== undefined) return;
      const outcomesAt = await segment.write(batch);
      this.#options.onWritten(batch, segment.number, outcomesAt);
      this.#held.written();
      this.#syncLater();
    }
    if (this.#settling !== undefined) return;
    this.#failure = undefined;
    this.#options.onMended();
    this.#options.onWarning("the outcome log is written again", { impressionsThatWaited: written });
  }

  #probeBytes(): number {
    return Math.min(probeBytesMax, Math.max(probeBytesMin, this.#failure?.bytes ?? 0));
  }

  #standstill(): SetlistError | undefined {
    if (this.#closed) return closed();
    if (this.#pending.bytes <= pendingBytesMax) return undefined;
    return unavailable(`the disk is behind by ${this.#pending.bytes} bytes`, undefined);
  }

  #segments(): SegmentChain {
    if (this.#chain === undefined) throw new Error("the log writer has no segments yet");
    return this.#chain;
  }
}

/** What the disk says, to whoever sends outcomes. */
export function refused(error: unknown): SetlistError {
  return unavailable(`the disk refuses: ${messageOf(error)}`, error);
}

function closed(): SetlistError {
  return unavailable("the outcome log is closed", undefined);
}

function unavailable(why: string, cause: unknown): SetlistError {
  return new SetlistError("UNAVAILABLE", `the outcome log takes nothing right now: ${why}`, {
    cause,
    retryAfterSeconds: 1,
  });
}
