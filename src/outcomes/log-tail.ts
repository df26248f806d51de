import { type FileHandle, open } from "node:fs/promises";
import type { LogPlace, LogTail, PlacedRecord, SyncedEnd } from "../domain/log-reading.ts";
import { corruptionError } from "./corruption.ts";
import { checkFrame, cutShort, describeFault, frameHeaderBytes, payloadBytesMax } from "./frame.ts";
import { readRecord, sealKind } from "./record-codec.ts";
import { listSegments, segmentFile } from "./segment-file.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "./segment-header.ts";

const chunkBytes = 64 * 1024;

/** At the first segment there is. */
const theStart: LogPlace = { segment: 0, salt: undefined, offset: segmentHeaderBytes };

export interface LogTailOptions {
  readonly directory: string;
  /** Where to begin; at the first segment there is where undefined. */
  readonly from: LogPlace | undefined;
  /** What the log's writer says of segments that are not sealed; of one that it does not name nothing is read. */
  readonly synced: () => readonly SyncedEnd[];
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Reads a log on from a place. Of the segment that is being written only what its writer knows to be on the disk: what a
 * frame says of that is always a write behind, and a reader's own sync would not tell of one that failed before.
 */
export function openLogTail(options: LogTailOptions): LogTail {
  return new SegmentTail(options);
}

interface OpenSegment {
  readonly number: number;
  readonly salt: number;
  readonly handle: FileHandle;
}

class SegmentTail implements LogTail {
  readonly #options: LogTailOptions;
  #place: LogPlace;
  #segment: OpenSegment | undefined;
  /** Records of the segment before the place that this tail has read: for the words of a fault. */
  #record = 0;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#place = options.from ?? theStart;
  }

  get place(): LogPlace {
    return this.#place;
  }

  async next(): Promise<readonly PlacedRecord[]> {
    for (;;) {
      const segment = this.#segment ?? (await this.#open());
      if (segment === undefined) return [];
      const end = await this.#end(segment);
      if (end <= this.#place.offset) return [];
      const bytes = await this.#read(segment, end);
      const { records, sealed } = this.#consume(segment, bytes, end);
      if (sealed) await this.#leave(segment);
      if (records.length > 0) return records;
      if (!sealed) return [];
    }
  }

  async bytesBehind(place: LogPlace): Promise<number> {
    const { directory } = this.#options;
    let bytes = 0;
    for (const file of await listSegments(directory)) {
      if (file.number < place.segment) continue;
      const end = file.sealed ? await sizeOf(file.path) : this.#syncedOf(file.number);
      const from = file.number === place.segment ? place.offset : segmentHeaderBytes;
      bytes += Math.max(0, end - from);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#segment?.handle.close();
    this.#segment = undefined;
  }

  /** The segment of the place, or the first one behind it; undefined where it is not there yet. */
  async #open(): Promise<OpenSegment | undefined> {
    const { directory, onWarning } = this.#options;
    if (await this.#isPastTheEnd()) {
      onWarning("the log ends before the place up to which it was read: it is read from its start", {
        ...this.#place,
      });
      this.#place = theStart;
    }
    const { segment: wanted, offset, salt: before } = this.#place;
    const number = (await listSegments(directory)).find((file) => file.number >= wanted)?.number;
    if (number === undefined) return undefined;
    const handle = await openEither(directory, number);
    if (handle === undefined) return undefined;
    const salt = await saltOf(handle, directory, number);
    if (salt === undefined) {
      await handle.close();
      return undefined;
    }
    const isOther = number !== wanted || (before !== undefined && before !== salt);
    if (isOther && wanted > 0 && (number !== wanted || offset > segmentHeaderBytes)) {
      onWarning(
        number === wanted
          ? `segment ${number} is another one than was being read: it is read from its start`
          : `segments ${wanted} to ${number - 1} are gone before they were read to their end`,
        { segment: number, wanted, offset },
      );
    }
    this.#place = { segment: number, salt, offset: isOther ? segmentHeaderBytes : offset };
    this.#segment = { number, salt, handle };
    this.#record = 0;
    return this.#segment;
  }

  /**
   * Whether the log never came as far as the place, as one that was put back from a backup. What it writes from then on
   * would have numbers that have been read already. Looked at twice: one that is renamed may be missing from a listing.
   */
  async #isPastTheEnd(): Promise<boolean> {
    const { segment, offset } = this.#place;
    const first = offset > segmentHeaderBytes ? segment : segment - 1;
    for (let look = 1; look <= 2; look++) {
      const newest = (await listSegments(this.#options.directory)).at(-1);
      if (newest === undefined || newest.number >= first) return false;
    }
    return true;
  }

  /** How far the segment may be read. */
  async #end({ number, handle }: OpenSegment): Promise<number> {
    const unsealed = this.#options.synced().find((end) => end.segment === number);
    if (unsealed !== undefined) return unsealed.bytes;
    const { path } = segmentFile(this.#options.directory, number, true);
    // The rename comes after the sync of all of it; the file may have been removed since, and stays readable here.
    return (await sizeOf(path)) > 0 ? (await handle.stat()).size : 0;
  }

  #syncedOf(number: number): number {
    return this.#options.synced().find(({ segment }) => segment === number)?.bytes ?? 0;
  }

  /** A chunk from the place on; all of a record that is longer. */
  async #read({ handle }: OpenSegment, end: number): Promise<Buffer> {
    const { offset } = this.#place;
    const chunk = await readAt(handle, offset, Math.min(chunkBytes, end - offset));
    if (chunk.length < frameHeaderBytes) return chunk;
    const needed = frameHeaderBytes + Math.min(chunk.readUInt32LE(8), payloadBytesMax);
    return needed <= chunk.length ? chunk : readAt(handle, offset, Math.min(needed, end - offset));
  }

  #consume(segment: OpenSegment, bytes: Buffer, end: number): { records: PlacedRecord[]; sealed: boolean } {
    const { number, salt } = segment;
    const records: PlacedRecord[] = [];
    const base = this.#place.offset;
    let at = 0;
    while (at < bytes.length) {
      const offset = base + at;
      const payloadBytes = checkFrame(bytes, at, bytes.length, salt, offset);
      if (payloadBytes === cutShort && records.length > 0 && base + bytes.length < end) break;
      if (payloadBytes < 0) throw this.#damaged(number, offset, describeFault(payloadBytes));
      const payloadStart = at + frameHeaderBytes;
      const next = payloadStart + payloadBytes;
      if (bytes[payloadStart] === sealKind) {
        this.#place = { segment: number, salt, offset: base + next };
        return { records, sealed: true };
      }
      const record = this.#decode(bytes, payloadStart, next, offset);
      records.push({ record, place: { segment: number, salt, offset }, bytes: next - at });
      this.#record += 1;
      at = next;
    }
    this.#place = { segment: number, salt, offset: base + at };
    return { records, sealed: false };
  }

  #decode(bytes: Buffer, start: number, end: number, offset: number): PlacedRecord["record"] {
    try {
      return readRecord(bytes, start, end);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.#damaged(this.#place.segment, offset, `it cannot be decoded: ${error.message}`);
    }
  }

  #damaged(number: number, offset: number, reason: string): Error {
    const { directory } = this.#options;
    const segment = segmentFile(directory, number, true).name;
    return corruptionError(directory, { segment, offset, record: this.#record, reason });
  }

  async #leave({ number, handle }: OpenSegment): Promise<void> {
    this.#segment = undefined;
    this.#place = { segment: number + 1, salt: undefined, offset: segmentHeaderBytes };
    await handle.close();
  }
}

/** Undefined where the segment was renamed and removed in between, or is being made. */
async function openEither(directory: string, number: number): Promise<FileHandle | undefined> {
  for (const sealed of [false, true, false]) {
    try {
      return await open(segmentFile(directory, number, sealed).path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return undefined;
}

/** Undefined where the file is still being made. */
async function saltOf(handle: FileHandle, directory: string, number: number): Promise<number | undefined> {
  const bytes = await readAt(handle, 0, segmentHeaderBytes);
  if (bytes.length < segmentHeaderBytes) return undefined;
  const header = decodeSegmentHeader(bytes, number);
  if (!("fault" in header)) return header.salt;
  const segment = segmentFile(directory, number, true).name;
  throw corruptionError(directory, { segment, offset: 0, record: 0, reason: header.fault });
}

async function readAt(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let have = 0;
  while (have < length) {
    const { bytesRead } = await handle.read(buffer, have, length - have, from + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return buffer.subarray(0, have);
}

async function sizeOf(path: string): Promise<number> {
  try {
    const handle = await open(path, "r");
    const { size } = await handle.stat().finally(() => handle.close());
    return size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
