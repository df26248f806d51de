import type { SyncedEnd } from "../domain/log-reading.ts";
import type { Disk } from "./disk.ts";
import { LiveSegment, type SegmentOwner } from "./live-segment.ts";

/** A segment can be this many times its size before writes wait for the next one, which is made ahead of time. */
const overfullFactor = 4;

/** Node's timers take no more: 24 days. */
const timerMsMax = 2 ** 31 - 1;

export interface SegmentChainOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentBytesMax: number;
  /** A segment with records is sealed once its first one has been there for so long, ms; 0 never. */
  readonly segmentAgeMaxMs: number;
  readonly now: () => number;
  /** The segment has come to that age: it is sealed by the next `take`, also of 0 bytes. */
  readonly onOld: () => void;
  readonly owner: SegmentOwner;
}

/**
 * The segments that are not sealed yet: full ones that are being sealed, the current one, and the next, made while the
 * current one fills. So going over to the next costs an append nothing.
 */
export class SegmentChain {
  readonly #options: SegmentChainOptions;
  #current: LiveSegment;
  #next: LiveSegment | undefined;
  #making: Promise<void> | undefined;
  readonly #full = new Set<LiveSegment>();
  /** Runs from the current segment's first record on: the calendar may go back, a timer does not. */
  #ageTimer: NodeJS.Timeout | undefined;
  #old = false;

  private constructor(options: SegmentChainOptions, current: LiveSegment) {
    this.#options = options;
    this.#current = current;
  }

  static async open(options: SegmentChainOptions, number: number): Promise<SegmentChain> {
    return new SegmentChain(options, await create(options, number));
  }

  /** Whether the current segment has records and is to be sealed for its age. */
  isOld(): boolean {
    return this.#old && !this.#current.empty;
  }

  /** The segment that takes `bytes` more; where they are not 0, they have to be written. */
  async take(bytes: number): Promise<LiveSegment> {
    const { segmentBytesMax } = this.#options;
    const after = this.#current.written + bytes;
    const isOld = this.isOld();
    if ((isOld || after > segmentBytesMax / 2) && this.#next === undefined) this.#makeNext();
    if (isOld || after > segmentBytesMax * overfullFactor) await this.#making;
    const isFull = isOld || after > segmentBytesMax;
    if (isFull && !this.#current.empty && this.#next !== undefined) this.#roll(this.#next);
    else if (after > segmentBytesMax * overfullFactor && !this.#current.empty) {
      throw new Error("the segment is full and no new one can be made");
    }
    if (isOld || this.#current.empty) this.#old = false;
    if (bytes > 0 || !this.#current.empty) this.#age();
    return this.#current;
  }

  /** Whether the disk takes so many bytes. @throws what it says. */
  async probe(bytes: number): Promise<void> {
    await this.#current.probe(bytes);
  }

  /** Has everything that is written synced soon. */
  requestSync(): void {
    for (const segment of this.#all()) if (segment.written > segment.synced) segment.requestSync();
  }

  /** Resolves once no sync and no seal is under way. */
  async settle(): Promise<void> {
    await Promise.all(this.#all().map((segment) => segment.settle()));
  }

  /** Of every segment that is not sealed yet. */
  synced(): SyncedEnd[] {
    return this.#all().map(({ number, synced }) => ({ segment: number, bytes: synced }));
  }

  takeUnsynced(): ReturnType<LiveSegment["takeUnsynced"]> {
    return this.#all().flatMap((segment) => segment.takeUnsynced());
  }

  /** After a failure, once settled: brings every segment into order, and seals what waits for it. @throws what fails. */
  async repair(): Promise<void> {
    for (const segment of this.#all()) await segment.repair();
    for (const segment of this.#full) {
      await segment.seal();
      this.#full.delete(segment);
    }
  }

  /** Seals everything. What cannot be sealed is left open, for the next start to recover, and the reason thrown. */
  async close(): Promise<void> {
    clearTimeout(this.#ageTimer);
    await this.#making;
    if (this.#next !== undefined) await this.#next.discard();
    const open = this.#all();
    const results = await Promise.allSettled(
      open.map((segment) => (segment.empty ? segment.discard() : segment.seal())),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) return;
    await this.abandon();
    throw failed.reason;
  }

  /** Closes the files as they are. */
  async abandon(): Promise<void> {
    clearTimeout(this.#ageTimer);
    await Promise.allSettled([...this.#all(), this.#next].map((segment) => segment?.abandon()));
  }

  #all(): LiveSegment[] {
    return [...this.#full, this.#current];
  }

  #roll(next: LiveSegment): void {
    this.#full.add(this.#current);
    this.#seal(this.#current);
    this.#current = next;
    this.#next = undefined;
    clearTimeout(this.#ageTimer);
    this.#ageTimer = undefined;
    this.#old = false;
  }

  /** A segment that could not be sealed, since no new one could be made, is tried again as late as a fresh one. */
  #age(): void {
    const { segmentAgeMaxMs, onOld } = this.#options;
    if (segmentAgeMaxMs === 0) return;
    this.#ageTimer ??= setTimeout(
      () => {
        this.#ageTimer = undefined;
        this.#old = true;
        onOld();
      },
      Math.min(segmentAgeMaxMs, timerMsMax),
    ).unref();
  }

  #seal(segment: LiveSegment): void {
    segment.seal().then(
      () => this.#full.delete(segment),
      (error: unknown) => this.#options.owner.failed(error),
    );
  }

  /** Where it fails, the current segment grows on and the next write tries again. */
  #makeNext(): void {
    this.#making ??= create(this.#options, this.#current.number + 1)
      .then((segment) => {
        this.#next = segment;
      })
      .catch(() => undefined)
      .finally(() => {
        this.#making = undefined;
      });
  }
}

function create({ disk, directory, now, owner }: SegmentChainOptions, number: number): Promise<LiveSegment> {
  return LiveSegment.create(disk, directory, number, now(), owner);
}
