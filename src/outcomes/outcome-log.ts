import { invalidArgument } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { AppendedOutcomes, Clock, Comparison, OutcomeLog, SyncedEnd } from "../domain/ports.ts";
import { type Batch, eachFingerprint } from "./batch.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { type Disk, realDisk } from "./disk.ts";
import { frameEnd, frameHeaderBytes } from "./frame.ts";
import { KnownIds } from "./known-ids.ts";
import { LogWriter } from "./log-writer.ts";
import {
  answeredRequestBytes,
  idBytes,
  writeComparisonFrame,
  writeImpressionFrame,
  writeOutcomeFrame,
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

/** Takes records that another process of the same server has encoded, as frames one behind the other. */
export interface FrameLog {
  /** As `appendImpression`, of all of them together. The bytes are copied before it returns. */
  appendImpressionFrames(frames: Buffer): Promise<void>;
  /** As `appendShadow`, of all of them together. The bytes are copied before it returns. */
  appendShadowFrames(frames: Buffer): Promise<void>;
  /** As `appendOutcomes`. The bytes are copied before it returns. */
  appendOutcomeFrames(frames: Buffer): Promise<AppendedOutcomes>;
}

export interface OpenedOutcomeLog extends OutcomeLog, FrameLog {
  readonly recovery: RecoverySummary;
  /** How much of each segment that is not sealed yet is on the disk; a sealed one is there whole. */
  syncedEnds(): readonly SyncedEnd[];
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

type OutcomeCounts = { -readonly [Count in keyof AppendedOutcomes]: number };

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
    this.#noteRequest(batch, writeImpressionFrame(batch.impressions, impression));
    await batch.written.promise;
  }

  async appendImpressionFrames(frames: Buffer): Promise<void> {
    const batch = this.#pending();
    for (let start = 0; start < frames.length; start = frameEnd(frames, start)) {
      const at = batch.impressions.used;
      batch.impressions.copy(frames, start, frameEnd(frames, start));
      this.#noteRequest(batch, at);
    }
    await batch.written.promise;
  }

  async appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    const batch = this.#pending();
    const counts = { accepted: 0, duplicates: 0, unmatched: 0 };
    for (const outcome of outcomes) this.#keepNew(batch, writeOutcomeFrame(batch.outcomes, outcome), counts);
    return this.#acknowledge(batch, counts);
  }

  async appendOutcomeFrames(frames: Buffer): Promise<AppendedOutcomes> {
    const batch = this.#pending();
    const counts = { accepted: 0, duplicates: 0, unmatched: 0 };
    for (let start = 0; start < frames.length; start = frameEnd(frames, start)) {
      const at = batch.outcomes.used;
      batch.outcomes.copy(frames, start, frameEnd(frames, start));
      this.#keepNew(batch, at, counts);
    }
    return this.#acknowledge(batch, counts);
  }

  async appendShadow(comparison: Comparison): Promise<void> {
    const batch = this.#pending();
    writeComparisonFrame(batch.shadows, comparison);
    await batch.written.promise;
  }

  async appendShadowFrames(frames: Buffer): Promise<void> {
    const batch = this.#pending();
    batch.shadows.copy(frames, 0, frames.length);
    await batch.written.promise;
  }

  syncedEnds(): readonly SyncedEnd[] {
    return this.#writer.syncedEnds();
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

  #noteRequest(batch: Batch, start: number): void {
    this.#identify(batch.impressions, idBytes(batch.impressions.buffer, start + frameHeaderBytes));
    batch.requestIds.push(...this.#id);
  }

  /** The outcome written last, at `start`, is counted, and taken back where it is known. */
  #keepNew(batch: Batch, start: number, counts: OutcomeCounts): void {
    if (!this.#isNew(batch, start)) {
      batch.outcomes.used = start;
      counts.duplicates++;
      return;
    }
    counts.accepted++;
    if (!this.#answersKnownRequest(batch, start)) counts.unmatched++;
  }

  async #acknowledge(batch: Batch, counts: OutcomeCounts): Promise<AppendedOutcomes> {
    // The first of two equal outcomes may still be on its way to the disk: nobody hears of it before it is there.
    if (counts.duplicates > 0) await this.#writer.allSynced();
    else if (counts.accepted > 0) await batch.synced.promise;
    return counts;
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
