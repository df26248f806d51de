import type { Disk } from "./disk.ts";
import { frameHeaderBytes } from "./frame.ts";
import { outcomeKind } from "./record-codec.ts";
import { segmentFile } from "./segment-file.ts";

/** Some 150 outcomes: a batch that is sent again costs a few reads, and one of ids from everywhere 17 MB at the most. */
const windowBytes = 16 * 1024;
/** Windows overlap by this, so that an id is nearly always in one of them. */
const overlapBytes = 1024;
/** Kept for the next one that asks: 4 MiB. */
const keptMax = 256;

/** The bytes at the start of a window, as far as they were in the file; undefined where the segment is gone. */
type Window = Buffer | undefined;

/** What one call has read, and up to which offset of the segment it had to: records may have come behind it since. */
interface OwnWindow {
  readonly bytes: Window;
  readonly upTo: number;
}

/** What of the segments was read back to compare ids; nothing in them may change but what `forget` is called for. */
export class RecordWindows {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #kept = new Map<number, Window>();
  /** Rises with every `forget`: what was read before is no longer believed. */
  epoch = 0;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** A repair may have put other records where there were some. */
  forget(): void {
    this.epoch++;
    this.#kept.clear();
  }

  get(window: number): Window {
    return this.#kept.get(window);
  }

  /**
   * Reads windows of one segment, each at least up to the given offset.
   * @throws {Error} where the disk refuses.
   */
  async read(
    segment: number,
    wanted: ReadonlyMap<number, number>,
    to: Map<number, OwnWindow>,
  ): Promise<void> {
    const { epoch } = this;
    const file = await this.#open(segment);
    try {
      for (const [window, upTo] of wanted) {
        const from = startOf(window);
        const bytes = await file?.read(from, Math.max(windowBytes + overlapBytes, upTo - from));
        if (epoch !== this.epoch) return;
        to.set(window, { bytes, upTo });
        this.#keep(window, bytes);
      }
    } finally {
      await file?.close();
    }
  }

  #keep(window: number, bytes: Window): void {
    if (bytes === undefined) return;
    this.#kept.delete(window);
    this.#kept.set(window, bytes);
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value as number);
  }

  /** It may be sealed, and so renamed, at any moment. */
  async #open(segment: number): ReturnType<Disk["openToRead"]> {
    for (const sealed of [true, false, true]) {
      const file = await this.#disk.openToRead(segmentFile(this.#directory, segment, sealed).path);
      if (file !== undefined) return file;
    }
    return undefined;
  }
}

/** Compares ids with those of records on the disk, for one call: what has to be read is read between two attempts. */
export class RecordComparison {
  readonly #windows: RecordWindows;
  readonly #own = new Map<number, OwnWindow>();
  readonly #missing = new Map<number, Map<number, number>>();
  #epoch: number;

  constructor(windows: RecordWindows) {
    this.#windows = windows;
    this.#epoch = windows.epoch;
  }

  /** Whether something has to be read before all can be said. */
  get incomplete(): boolean {
    return this.#missing.size > 0;
  }

  /**
   * Whether the record at `offset` of the segment is an outcome whose id, as it is written, is `bytes[start, end)`.
   * A segment that is gone has none. Undefined where the place has to be read first.
   */
  hasId(segment: number, offset: number, bytes: Buffer, start: number, end: number): boolean | undefined {
    const window = windowOf(segment, offset);
    const from = offset - startOf(window) + frameHeaderBytes;
    const to = from + 1 + end - start;
    if (this.#epoch !== this.#windows.epoch) {
      this.#own.clear();
      this.#epoch = this.#windows.epoch;
    }
    const own = this.#own.get(window);
    const there = own === undefined ? this.#windows.get(window) : own.bytes;
    if (there === undefined || there.length < to) {
      const end = startOf(window) + to;
      if (own !== undefined && (there === undefined || own.upTo >= end)) return false;
      this.#miss(segment, window, end);
      return undefined;
    }
    return there[from] === outcomeKind && bytes.compare(there, from + 1, to, start, end) === 0;
  }

  /** Reads what was missing. @throws {Error} where the disk refuses. */
  async readMissing(): Promise<void> {
    const missing = [...this.#missing];
    this.#missing.clear();
    for (const [segment, wanted] of missing) await this.#windows.read(segment, wanted, this.#own);
  }

  #miss(segment: number, window: number, upTo: number): void {
    const wanted = this.#missing.get(segment) ?? new Map<number, number>();
    wanted.set(window, Math.max(upTo, wanted.get(window) ?? 0));
    this.#missing.set(segment, wanted);
  }
}

/** Segments have 32-bit offsets: 2^18 windows each. */
const windowsPerSegment = 2 ** 18;

function windowOf(segment: number, offset: number): number {
  return segment * windowsPerSegment + Math.floor(offset / windowBytes);
}

function startOf(window: number): number {
  return (window % windowsPerSegment) * windowBytes;
}
