import type { SyncedEnd } from "../domain/ports.ts";
import type { Disk } from "./disk.ts";
import { LiveSegment, type SegmentOwner } from "./live-segment.ts";

/** A segment can be this many times its size before writes wait for the next one, which is made ahead of time. */
const overfullFactor = 4;

export interface SegmentChainOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentBytesMax: number;
  readonly now: () => number;
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

  private constructor(options: SegmentChainOptions, current: LiveSegment) {
    this.#options = options;
    this.#current = current;
  }

  static async open(options: SegmentChainOptions, number: number): Promise<SegmentChain> {
    return new SegmentChain(options, await create(options, number));
  }

  /** The segment that takes `bytes` more. */
  async take(bytes: number): Promise<LiveSegment> {
    const { segmentBytesMax } = this.#options;
    const after = this.#current.written + bytes;
    if (after > segmentBytesMax / 2 && this.#next === undefined) this.#makeNext();
    if (after > segmentBytesMax * overfullFactor) await this.#making;
    if (after > segmentBytesMax && !this.#current.empty && this.#next !== undefined) this.#roll(this.#next);
    else if (after > segmentBytesMax * overfullFactor && !this.#current.empty) {
      throw new Error("the segment is full and no new one can be made");
    }
    return this.#current;
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

  /** After a failure, once settled: brings every segment into order, and seals what waits for it. */
  async repair(): Promise<void> {
    for (const segment of this.#all()) await segment.repair();
    for (const segment of this.#full) this.#seal(segment);
  }

  /** Seals everything. What cannot be sealed is left open, for the next start to recover, and the reason thrown. */
  async close(): Promise<void> {
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
