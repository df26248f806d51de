import { invalidArgument } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { AppendedOutcomes, Clock, OutcomeLog } from "../domain/ports.ts";
import type { ShadowComparison } from "../domain/shadow.ts";
import { type Batch, eachFingerprint } from "./batch.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { type Disk, realDisk } from "./disk.ts";
import { frameHeaderBytes } from "./frame.ts";
import { KnownIds } from "./known-ids.ts";
import { LogWriter } from "./log-writer.ts";
import {
  answeredRequestBytes,
  idBytes,
  writeImpressionFrame,
  writeOutcomeFrame,
  writeShadowFrame,
} from "./record-codec.ts";
import type { RecordWriter } from "./record-writer.ts";
import { type RecoverySummary, recoverLog } from "./recovery.ts";
import { SegmentChain } from "./segment-chain.ts";

export interface OutcomeLogOptions {
  /** Made where it does not exist; belongs to one server at a time. */
  readonly directory: string;
  /** A segment is sealed soon after it has grown past this; at most 1 GiB. */
  readonly segmentBytesMax: number;
  /** The longest that a written impression waits for its sync. */
  readonly syncIntervalMs: number;
  readonly clock: Clock;
  readonly onWarning?: (message: string, fields: Record<string, unknown>) => void;
  /** At least this many of the latest impressions are known to `unmatched`. Default 200,000: 4 to 14 MB. */
  readonly rememberedImpressionsMax?: number;
  /** For tests of disks that fail. */
  readonly disk?: Disk;
}

export interface OpenedOutcomeLog extends OutcomeLog {
  readonly recovery: RecoverySummary;
}

const rememberedImpressionsDefault = 200_000;

/** Offsets within a segment are 32-bit numbers, and a segment may grow past its size while the next one is made. */
const segmentBytesLimit = 1024 * 1024 * 1024;

/**
 * Locks the directory, recovers the log in it (docs/outcome-log-format.md) and opens a new segment.
 * @throws {SetlistError} ABORTED where another server has the directory, naming its pid; INTERNAL where a record that
 *   was whole once is damaged, naming segment, offset and record; INVALID_ARGUMENT where `segmentBytesMax` is too large.
 */
export async function openOutcomeLog(options: OutcomeLogOptions): Promise<OpenedOutcomeLog> {
  const {
    directory,
    segmentBytesMax,
    syncIntervalMs,
    clock,
    disk = realDisk,
    onWarning = () => undefined,
  } = options;
  if (segmentBytesMax > segmentBytesLimit) {
    throw invalidArgument(`segmentBytesMax: expected at most ${segmentBytesLimit}, got ${segmentBytesMax}`);
  }
  await disk.makeDirectory(directory);
  const lock = await lockDirectory(directory);
  try {
    const known = new KnownIds(options.rememberedImpressionsMax ?? rememberedImpressionsDefault);
    const { summary, nextNumber } = await recoverLog({ directory, disk, known, onWarning });
    const writer = new LogWriter({
      clock,
      syncIntervalMs,
      onWarning,
      onWritten: (batch) => eachFingerprint(batch.requestIds, (id) => known.addRequest(id)),
      onRefused: (batch) => eachFingerprint(batch.outcomeIds, (id) => known.forgetOutcome(id)),
    });
    const now = (): number => clock.now();
    writer.start(
      await SegmentChain.open({ disk, directory, segmentBytesMax, now, owner: writer }, nextNumber),
    );
    return new SegmentedLog(summary, writer, known, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class SegmentedLog implements OpenedOutcomeLog {
  readonly recovery: RecoverySummary;
  readonly #writer: LogWriter;
  readonly #known: KnownIds;
  readonly #lock: DirectoryLock;
  readonly #id = new Uint32Array(3);
  #closing: Promise<void> | undefined;

  constructor(recovery: RecoverySummary, writer: LogWriter, known: KnownIds, lock: DirectoryLock) {
    this.recovery = recovery;
    this.#writer = writer;
    this.#known = known;
    this.#lock = lock;
  }

  async appendImpression(impression: Impression): Promise<void> {
    const batch = this.#pending();
    const payloadStart = writeImpressionFrame(batch.impressions, impression) + frameHeaderBytes;
    this.#identify(batch.impressions, idBytes(batch.impressions.buffer, payloadStart));
    batch.requestIds.push(...this.#id);
    await batch.written.promise;
  }

  async appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    const batch = this.#pending();
    let accepted = 0;
    let unmatched = 0;
    for (const outcome of outcomes) {
      const start = writeOutcomeFrame(batch.outcomes, outcome);
      if (this.#isNew(batch, start)) {
        accepted++;
        if (!this.#answersKnownRequest(batch, start)) unmatched++;
      } else batch.outcomes.used = start;
    }
    const duplicates = outcomes.length - accepted;
    // The first of two equal outcomes may still be on its way to the disk: nobody hears of it before it is there.
    if (duplicates > 0) await this.#writer.allSynced();
    else if (accepted > 0) await batch.synced.promise;
    return { accepted, duplicates, unmatched };
  }

  async appendShadow(comparison: ShadowComparison): Promise<void> {
    const batch = this.#pending();
    writeShadowFrame(batch.shadows, comparison);
    await batch.written.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#writer.close().finally(() => this.#lock.release());
    return this.#closing;
  }

  #pending(): Batch {
    const refusal = this.#writer.refusal();
    if (refusal !== undefined) throw refusal;
    // The loop runs once this task has ended: whatever the caller appends until then is taken along.
    this.#writer.wake();
    return this.#writer.pending;
  }

  #isNew(batch: Batch, start: number): boolean {
    this.#identify(batch.outcomes, idBytes(batch.outcomes.buffer, start + frameHeaderBytes));
    if (!this.#known.addOutcome(this.#id)) return false;
    batch.outcomeIds.push(...this.#id);
    return true;
  }

  #answersKnownRequest(batch: Batch, start: number): boolean {
    this.#identify(batch.outcomes, answeredRequestBytes(batch.outcomes.buffer, start + frameHeaderBytes));
    return this.#known.hasRequest(this.#id);
  }

  #identify(records: RecordWriter, { start, end }: { start: number; end: number }): void {
    this.#known.fingerprint(records.buffer, start, end, this.#id);
  }
}
