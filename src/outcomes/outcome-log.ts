import { dirname } from "node:path";
import type { Clock } from "../domain/clock.ts";
import { invalidArgument } from "../domain/error.ts";
import type { Impression } from "../domain/impression.ts";
import type { SyncedEnd } from "../domain/log-reading.ts";
import type { Outcome } from "../domain/outcome.ts";
import type {
  AppendedOutcomes,
  Comparison,
  LogHealth,
  LogTrouble,
  OutcomeLog,
} from "../domain/outcome-log.ts";
import { type Batch, eachFingerprint } from "./batch.ts";
import { type DirectoryLock, lockDirectory } from "./directory-lock.ts";
import { type Disk, realDisk } from "./disk.ts";
import { frameEnd, frameHeaderBytes } from "./frame.ts";
import { type FingerprintFunction, KnownIds } from "./known-ids.ts";
import { LogWriter } from "./log-writer.ts";
import { NewOutcomes } from "./new-outcomes.ts";
import { idBytes, writeComparisonFrame, writeImpressionFrame } from "./record-codec.ts";
import { RecordWindows } from "./record-windows.ts";
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

class SegmentedLog implements OpenedOutcomeLog {
  readonly recovery: RecoverySummary;
  readonly #writer: LogWriter;
  readonly #known: KnownIds;
  readonly #newOutcomes: NewOutcomes;
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
    this.#newOutcomes = new NewOutcomes(writer, known, windows);
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
    const batch = this.#writer.batch();
    this.#noteRequest(batch, writeImpressionFrame(batch.impressions, impression));
    await batch.written.promise;
  }

  async appendImpressionFrames(frames: Buffer): Promise<void> {
    if (this.#writer.refuses) {
      this.#hold(frames);
      return;
    }
    const batch = this.#writer.batch();
    this.#copyImpressions(batch, frames);
    await batch.written.promise;
  }

  appendOutcomes(outcomes: readonly Outcome[]): Promise<AppendedOutcomes> {
    return this.#newOutcomes.append(outcomes);
  }

  appendOutcomeFrames(frames: Buffer): Promise<AppendedOutcomes> {
    return this.#newOutcomes.appendFrames(frames);
  }

  async appendShadow(comparison: Comparison): Promise<void> {
    const batch = this.#writer.batch();
    writeComparisonFrame(batch.shadows, comparison);
    await batch.compared.promise;
  }

  async appendShadowFrames(frames: Buffer): Promise<void> {
    const batch = this.#writer.batch();
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
    const { buffer, used } = batch.impressions;
    const id = idBytes(buffer, start + frameHeaderBytes, used);
    this.#known.fingerprint(buffer, id.start, id.end, this.#id);
    batch.requestIds.push(...this.#id);
  }
}
