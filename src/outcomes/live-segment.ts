import type { Batch } from "./batch.ts";
import type { Disk, LogFile } from "./disk.ts";
import { stampFrames } from "./frame.ts";
import { writeSealFrame } from "./record-codec.ts";
import { RecordWriter } from "./record-writer.ts";
import { type KeptRecords, keptRecords } from "./repair.ts";
import { segmentFile } from "./segment-file.ts";
import { encodeSegmentHeader, newSalt, segmentHeaderBytes } from "./segment-header.ts";

/** Told by a segment: which batches are durable now, and that the disk refused. */
export interface SegmentOwner {
  synced(batches: readonly Batch[]): void;
  failed(error: unknown): void;
}

/**
 * A segment that is being written. Writes come one at a time; syncs run beside them, each covering all that was
 * written before it began, so a record that only has to be written never waits for the disk.
 */
export class LiveSegment {
  readonly number: number;
  /** Bytes written, and how many of them are known to be on the disk. */
  written = segmentHeaderBytes;
  synced = segmentHeaderBytes;
  readonly #disk: Disk;
  readonly #file: LogFile;
  readonly #directory: string;
  readonly #salt: number;
  readonly #owner: SegmentOwner;
  #impressions = 0;
  #outcomes = 0;
  #shadows = 0;
  /** Written batches with outcomes that nobody may be told about yet. */
  #waiting: Batch[] = [];
  #syncWanted = false;
  #syncing: Promise<void> | undefined;
  #sealing: Promise<void> | undefined;
  #sealWritten = false;
  #renamed = false;
  /** A sync failed: until the repair, no later one can be believed. */
  #doubtful = false;
  #repairing = false;
  /** During a repair: what has to stand from `synced` on, and how much of it did before. */
  #rescued: Pick<KeptRecords, "frames" | "standing"> | undefined;

  private constructor(
    disk: Disk,
    file: LogFile,
    directory: string,
    number: number,
    salt: number,
    owner: SegmentOwner,
  ) {
    this.#disk = disk;
    this.#file = file;
    this.#directory = directory;
    this.number = number;
    this.#salt = salt;
    this.#owner = owner;
  }

  /** A new segment whose header and name are on the disk, so that later only its records have to be synced. */
  static async create(
    disk: Disk,
    directory: string,
    number: number,
    madeAt: number,
    owner: SegmentOwner,
  ): Promise<LiveSegment> {
    const { path } = segmentFile(directory, number, false);
    const salt = newSalt();
    const file = await disk.create(path);
    try {
      await file.write([encodeSegmentHeader({ number, salt, madeAt })], 0);
      await file.sync();
      await disk.syncDirectory(directory);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new LiveSegment(disk, file, directory, number, salt, owner);
  }

  get empty(): boolean {
    return this.written === segmentHeaderBytes;
  }

  /**
   * Resolves once the batch is in the file, with where its outcomes stand. What a failed write left behind is cut off by
   * `repair`.
   */
  async write(batch: Batch): Promise<number> {
    const impressions = batch.impressions.bytes();
    const shadows = batch.shadows.bytes();
    const outcomes = batch.outcomes.bytes();
    const shadowsAt = this.written + impressions.length;
    const outcomesAt = shadowsAt + shadows.length;
    const impressionCount = stampFrames(impressions, this.#salt, this.written, this.synced);
    const shadowCount = stampFrames(shadows, this.#salt, shadowsAt, this.synced);
    const outcomeCount = stampFrames(outcomes, this.#salt, outcomesAt, this.synced);
    await this.#file.write([impressions, shadows, outcomes], this.written);
    this.written = outcomesAt + outcomes.length;
    this.#impressions += impressionCount;
    this.#shadows += shadowCount;
    this.#outcomes += outcomeCount;
    if (outcomeCount > 0) this.#waiting.push(batch);
    return outcomesAt;
  }

  /**
   * Writes so many bytes behind the last record, syncs, and cuts them off again, for good, since nothing may stand behind
   * a seal: whether the disk takes writes.
   */
  async probe(bytes: number): Promise<void> {
    await this.#file.write([Buffer.alloc(bytes)], this.written);
    await this.#file.sync();
    await this.#file.truncate(this.written);
    await this.#file.sync();
  }

  /** Has everything written by now synced soon; what comes while a sync runs goes into the next one. */
  requestSync(): void {
    // A seal syncs by itself.
    if (this.#doubtful || this.#repairing || this.#sealing !== undefined) return;
    this.#syncWanted = true;
    this.#syncing ??= this.#syncWhileWanted();
  }

  /** Syncs, seals, renames: from then on the file never changes. A segment that failed half-way can try again. */
  seal(): Promise<void> {
    this.#sealing ??= this.#sealOnce().finally(() => {
      this.#sealing = undefined;
    });
    return this.#sealing;
  }

  /** Resolves once nothing of this segment is under way. Never rejects. */
  async settle(): Promise<void> {
    await this.#syncing;
    await this.#sealing?.catch(() => undefined);
  }

  /** The batches that are written and not synced; the segment forgets them. */
  takeUnsynced(): Batch[] {
    return this.#waiting.splice(0);
  }

  /**
   * After a failure: keeps what is synced, and behind it impressions and comparisons, which are answered;
   * drops outcomes, which were refused, and what a failed write left. Where a sync failed those kept are written once
   * more: the kernel marks pages whose write-back failed as clean, so a later sync that succeeds says nothing about
   * them. Can be repeated where it fails. A crash between the cut and the write loses what is written once more; so
   * what stands where it has to is left there while no sync failed: a full disk may not take it again.
   */
  async repair(): Promise<void> {
    // No sync may begin or end from here on: one that moved `synced` between the cut and the write would leave a hole.
    this.#repairing = true;
    try {
      await this.settle();
      await this.#rewrite();
    } finally {
      this.#repairing = false;
    }
  }

  async #rewrite(): Promise<void> {
    if (this.#rescued === undefined) {
      if (this.#sealWritten && this.synced === this.written) return;
      const unsynced = await this.#file.read(this.synced, this.written - this.synced);
      const kept = keptRecords(unsynced, this.#salt, this.synced);
      this.#impressions -= kept.droppedImpressions;
      this.#shadows -= kept.droppedShadows;
      this.#outcomes -= kept.droppedOutcomes;
      this.#sealWritten = false;
      this.#rescued = kept;
    }
    const { frames, standing } = this.#rescued;
    const from = this.#doubtful ? 0 : standing;
    const again = frames.subarray(from);
    stampFrames(again, this.#salt, this.synced + from, this.synced);
    await this.#file.truncate(this.synced + from);
    if (again.length > 0) {
      // Or a power cut might leave, behind what is written here, sectors of what was cut: as if a record were damaged.
      await this.#sync();
      await this.#file.write([again], this.synced + from);
    }
    await this.#sync();
    this.synced += frames.length;
    this.written = this.synced;
    this.#rescued = undefined;
    this.#doubtful = false;
  }

  /** @throws what the disk says; from then on the segment is doubtful. */
  async #sync(): Promise<void> {
    try {
      await this.#file.sync();
    } catch (error) {
      this.#doubtful = true;
      throw error;
    }
  }

  /** Closes the file and leaves it as it is, for the next start to recover. */
  async abandon(): Promise<void> {
    await this.#file.close();
  }

  /** Removes a segment that holds nothing. */
  async discard(): Promise<void> {
    await this.#file.close();
    await this.#disk.remove(segmentFile(this.#directory, this.number, false).path);
    await this.#disk.syncDirectory(this.#directory);
  }

  async #syncWhileWanted(): Promise<void> {
    while (this.#syncWanted) {
      this.#syncWanted = false;
      if (!(await this.#syncOnce())) break;
    }
    this.#syncing = undefined;
  }

  async #syncOnce(): Promise<boolean> {
    const upTo = this.written;
    const covered = this.#waiting.length;
    try {
      await this.#file.sync();
    } catch (error) {
      this.#doubtful = true;
      this.#owner.failed(error);
      return false;
    }
    this.synced = upTo;
    this.#owner.synced(this.#waiting.splice(0, covered));
    return true;
  }

  async #sealOnce(): Promise<void> {
    await this.#syncing;
    if (this.#doubtful) throw new Error("a sync of the segment failed");
    if (!this.#sealWritten) {
      const to = new RecordWriter();
      writeSealFrame(to, {
        impressions: this.#impressions,
        outcomes: this.#outcomes,
        shadows: this.#shadows,
      });
      const frame = to.bytes();
      stampFrames(frame, this.#salt, this.written, this.synced);
      await this.#file.write([frame], this.written);
      this.written += frame.length;
      this.#sealWritten = true;
    }
    if (!(await this.#syncOnce())) throw new Error("the sync of the seal failed");
    if (!this.#renamed) {
      const sealed = segmentFile(this.#directory, this.number, true);
      await this.#disk.rename(segmentFile(this.#directory, this.number, false).path, sealed.path);
      this.#renamed = true;
    }
    await this.#disk.syncDirectory(this.#directory);
    await this.#file.close();
  }
}
