import { dirname } from "node:path";
import { invalidArgument } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type {
  AppendedOutcomes,
  Clock,
  Comparison,
  LogHealth,
  LogTrouble,
  OutcomeLog,
  SyncedEnd,
} from "../domain/ports.ts";
import { type Batch, eachFingerprint } from "./batch.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { type Disk, realDisk } from "./disk.ts";
import { frameEnd, frameHeaderBytes } from "./frame.ts";
import { type FingerprintFunction, KnownIds } from "./known-ids.ts";
import { LogWriter, refused } from "./log-writer.ts";
import {
  answeredRequestBytes,
  idBytes,
  receivedAtOf,
  writeComparisonFrame,
  writeImpressionFrame,
  writeOutcomeFrame,
} from "./record-codec.ts";
import { RecordComparison, RecordWindows } from "./record-windows.ts";
import { RecordWriter } from "./record-writer.ts";
import { type RecoverySummary, recoverLog } from "./recovery.ts";
import { SegmentChain } from "./segment-chain.ts";

export interface OutcomeLogOptions {
  /** Made where it does not exist; belongs to one server at a time. */
  readonly directory: string;
  /** A segment is sealed soon after it has grown past this; at most 1 GiB. */
  readonly segmentBytesMax: number;
  /** The longest that a written impression waits for its sync. */
  readonly syncIntervalMs: number;
  /** A segment with records is sealed once it is so old; 0 never. Default 0. */
  readonly segmentAgeMaxMs?: number;
  /** How long an outcome that is sent again is recognised. Default 7 days. */
  readonly dedupeWindowMs?: number;
  /** What its fingerprints may take in memory. Default 512 MiB. */
  readonly dedupeMemoryBytesMax?: number;
  /** Impressions that wait in memory while the disk refuses. Default 64 MiB. */
  readonly impressionBufferBytesMax?: number;
  readonly clock: Clock;
  readonly onWarning?: (message: string, fields: Record<string, unknown>) => void;
  /** At least this many of the latest impressions are known to `unmatched`. Default 200,000: 4 to 14 MB. */
  readonly rememberedImpressionsMax?: number;
  /** For tests of disks that fail. */
  readonly disk?: Disk;
  /** For tests of fingerprints that collide. */
  readonly fingerprint?: FingerprintFunction;
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

export interface OpenedOutcomeLog extends OutcomeLog, FrameLog, LogHealth {
  readonly recovery: RecoverySummary;
  /** How much of each segment that is not sealed yet is on the disk; a sealed one is there whole. */
  syncedEnds(): readonly SyncedEnd[];
}

const rememberedImpressionsDefault = 200_000;
const dayMs = 86_400_000;

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
  // Whoever made it: what is acknowledged in a folder is as durable as the folder's name.
  await disk.syncDirectory(dirname(directory));
  const lock = await lockDirectory(directory);
  try {
    const now = (): number => clock.now();
    const known = new KnownIds({
      rememberedImpressionsMax: options.rememberedImpressionsMax ?? rememberedImpressionsDefault,
      windowMs: options.dedupeWindowMs ?? 7 * dayMs,
      memoryBytesMax: options.dedupeMemoryBytesMax ?? 512 * 1024 * 1024,
      now,
      onWarning,
      fingerprint: options.fingerprint,
    });
    const { summary, nextNumber } = await recoverLog({ directory, disk, known, onWarning });
    const windows = new RecordWindows(disk, directory);
    const writer = new LogWriter({
      clock,
      syncIntervalMs,
      heldBytesMax: options.impressionBufferBytesMax ?? 64 * 1024 * 1024,
      onWarning,
      onWritten(batch, segment, outcomesAt) {
        eachFingerprint(batch.requestIds, (id) => known.addRequest(id));
        batch.generation?.written(batch.place, segment, outcomesAt);
      },
      onSynced: (batch) => batch.generation?.landed(batch.place),
      onRefused: (batch) => known.outcomes.refused(batch),
      onMended: () => windows.forget(),
    });
    const { segmentAgeMaxMs = 0 } = options;
    const onOld = (): void => writer.wake();
    writer.start(
      await SegmentChain.open(
        { disk, directory, segmentBytesMax, segmentAgeMaxMs, now, onOld, owner: writer },
        nextNumber,
      ),
    );
    return new SegmentedLog(summary, writer, known, windows, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type OutcomeCounts = { -readonly [Count in keyof AppendedOutcomes]: number };

/** Outcomes of one call that went into a batch. */
interface Attempt {
  readonly batch: Batch;
  readonly comparison: RecordComparison;
  readonly counts: OutcomeCounts;
}

class SegmentedLog implements OpenedOutcomeLog {
  readonly recovery: RecoverySummary;
  readonly #writer: LogWriter;
  readonly #known: KnownIds;
  readonly #windows: RecordWindows;
  readonly #lock: DirectoryLock;
  readonly #id = new Uint32Array(3);
  #closing: Promise<void> | undefined;

  constructor(
    recovery: RecoverySummary,
    writer: LogWriter,
    known: KnownIds,
    windows: RecordWindows,
    lock: DirectoryLock,
  ) {
    this.recovery = recovery;
    this.#writer = writer;
    this.#known = known;
    this.#windows = windows;
    this.#lock = lock;
  }

  get dedupeWindowMs(): number {
    return this.#known.outcomes.windowMs;
  }

  trouble(): LogTrouble | undefined {
    return this.#writer.trouble();
  }

  async appendImpression(impression: Impression): Promise<void> {
    if (this.#writer.refuses) {
      const frame = new RecordWriter();
      writeImpressionFrame(frame, impression);
      this.#hold(frame.bytes());
      return;
    }
    const batch = this.#pending();
    this.#noteRequest(batch, writeImpressionFrame(batch.impressions, impression));
    await batch.written.promise;
  }

  async appendImpressionFrames(frames: Buffer): Promise<void> {
    if (this.#writer.refuses) {
      this.#hold(frames);
      return;
    }
    const batch = this.#pending();
    this.#copyImpressions(batch, frames);
    await batch.written.promise;
  }

  async appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    const comparison = new RecordComparison(this.#windows);
    const attempt = this.#attempt(comparison, (batch, keepNew) => {
      for (const outcome of outcomes) keepNew(writeOutcomeFrame(batch.outcomes, outcome));
    });
    if (attempt !== undefined) return this.#acknowledge(attempt);
    const frames = new RecordWriter();
    for (const outcome of outcomes) writeOutcomeFrame(frames, outcome);
    return this.#appendOnceRead(frames.bytes(), comparison);
  }

  async appendOutcomeFrames(frames: Buffer): Promise<AppendedOutcomes> {
    const comparison = new RecordComparison(this.#windows);
    const attempt = this.#attemptFrames(comparison, frames);
    return attempt === undefined
      ? this.#appendOnceRead(Buffer.from(frames), comparison)
      : this.#acknowledge(attempt);
  }

  async appendShadow(comparison: Comparison): Promise<void> {
    const batch = this.#pending();
    writeComparisonFrame(batch.shadows, comparison);
    await batch.compared.promise;
  }

  async appendShadowFrames(frames: Buffer): Promise<void> {
    const batch = this.#pending();
    batch.shadows.copy(frames, 0, frames.length);
    await batch.compared.promise;
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

  /** The disk refuses: answers do not wait for it. */
  #hold(frames: Buffer): void {
    this.#copyImpressions(this.#writer.room(frames.length), frames);
  }

  #copyImpressions(batch: Batch, frames: Buffer): void {
    for (let start = 0; start < frames.length; start = frameEnd(frames, start)) {
      const at = batch.impressions.used;
      batch.impressions.copy(frames, start, frameEnd(frames, start));
      this.#noteRequest(batch, at);
    }
  }

  #noteRequest(batch: Batch, start: number): void {
    this.#identify(batch.impressions, idBytes(batch.impressions.buffer, start + frameHeaderBytes));
    batch.requestIds.push(...this.#id);
  }

  /** After something had to be read back, until all can be said. */
  async #appendOnceRead(frames: Buffer, comparison: RecordComparison): Promise<AppendedOutcomes> {
    for (;;) {
      try {
        await comparison.readMissing();
      } catch (error) {
        throw refused(error);
      }
      const attempt = this.#attemptFrames(comparison, frames);
      if (attempt !== undefined) return this.#acknowledge(attempt);
    }
  }

  #attemptFrames(comparison: RecordComparison, frames: Buffer): Attempt | undefined {
    return this.#attempt(comparison, ({ outcomes }, keepNew) => {
      for (let start = 0; start < frames.length; start = frameEnd(frames, start)) {
        const at = outcomes.used;
        outcomes.copy(frames, start, frameEnd(frames, start));
        keepNew(at);
      }
    });
  }

  /**
   * Puts into the pending batch what `write` writes there, each outcome followed by `keepNew` with its start, as far as it
   * is new. All or nothing: undefined, and nothing was put there, where something has to be read first to say what is.
   */
  #attempt(
    comparison: RecordComparison,
    write: (batch: Batch, keepNew: (start: number) => void) => void,
  ): Attempt | undefined {
    const batch = this.#pending();
    const attempt: Attempt = { batch, comparison, counts: { accepted: 0, duplicates: 0, unmatched: 0 } };
    const before = { used: batch.outcomes.used, ids: batch.outcomeIds.length };
    let done = false;
    try {
      write(batch, (start) => this.#keepNew(attempt, start));
      done = !comparison.incomplete;
    } finally {
      if (!done) {
        this.#known.outcomes.takeBack(batch, before.ids);
        batch.outcomes.used = before.used;
      }
    }
    return done ? attempt : undefined;
  }

  /** The outcome written last, at `start`, is counted, and taken back where it is known. */
  #keepNew({ batch, comparison, counts }: Attempt, start: number): void {
    const { outcomes } = batch;
    const id = idBytes(outcomes.buffer, start + frameHeaderBytes);
    this.#identify(outcomes, id);
    // From its length on, as it is written: so no id is taken for one that it begins with.
    if (this.#isKnown(comparison, outcomes.buffer, start + frameHeaderBytes + 1, id.end)) {
      outcomes.used = start;
      counts.duplicates++;
      return;
    }
    this.#known.outcomes.add(this.#id, batch, start, receivedAtOf(outcomes.buffer, outcomes.used));
    counts.accepted++;
    this.#identify(outcomes, answeredRequestBytes(outcomes.buffer, start + frameHeaderBytes));
    if (!this.#known.hasRequest(this.#id)) counts.unmatched++;
  }

  /** Whether the log has an outcome of the id in `bytes[start, end)`, whose fingerprint is `#id`; never by that alone. */
  #isKnown(comparison: RecordComparison, bytes: Buffer, start: number, end: number): boolean {
    let known = false;
    this.#known.outcomes.each(this.#id, (place) => {
      if ("segment" in place) {
        if (comparison.hasId(place.segment, place.offset, bytes, start, end) === true) known = true;
        return;
      }
      const { buffer } = place.batch;
      const from = place.offset + frameHeaderBytes + 1;
      const to = from + end - start;
      if (to <= buffer.length && bytes.compare(buffer, from, to, start, end) === 0) known = true;
    });
    return known;
  }

  async #acknowledge({ batch, counts }: Attempt): Promise<AppendedOutcomes> {
    // The first of two equal outcomes may still be on its way to the disk: nobody hears of it before it is there.
    if (counts.duplicates > 0) await this.#writer.allSynced();
    else if (counts.accepted > 0) await batch.synced.promise;
    return counts;
  }

  #identify(records: RecordWriter, { start, end }: { start: number; end: number }): void {
    this.#known.fingerprint(records.buffer, start, end, this.#id);
  }
}
