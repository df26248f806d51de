import { copyFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SetlistError } from "../domain/error.ts";
import { type Disk, realDisk } from "./disk.ts";
import { stampFrames } from "./frame.ts";
import { readPatiently } from "./patient-read.ts";
import { type Seal, writeSealFrame } from "./record-codec.ts";
import { RecordWriter } from "./record-writer.ts";
import { type LostPlace, type SalvagedSegment, salvageSegment } from "./salvage-segment.ts";
import { listSegments, openSegmentFile, type SegmentFile, segmentFile } from "./segment-file.ts";
import { encodeSegmentHeader, newSalt, segmentHeaderBytes } from "./segment-header.ts";
import { type PlacedSegment, placeSegments } from "./segment-places.ts";
import { verifyLog } from "./verify-log.ts";

/** What of one segment of the old log is not in the new one. */
export interface SegmentLoss {
  readonly segment: string;
  /** How many; null where no seal says how many there were. */
  readonly records: number | null;
  readonly bytes: number;
  readonly places: readonly LostPlace[];
}

export interface LogSalvage {
  /** What is in the new log. */
  readonly impressions: number;
  readonly outcomes: number;
  /** Comparisons with shadow models and other arms. */
  readonly shadows: number;
  readonly segments: number;
  /** At the end of a segment that was being written: never acknowledged, and cut by any start. */
  readonly truncatedBytes: number;
  /** Of all `losses` that say it. */
  readonly lostRecords: number;
  readonly lostBytes: number;
  readonly losses: readonly SegmentLoss[];
}

export interface SalvageOptions {
  /** The damaged log's; nothing in it is changed. */
  readonly directory: string;
  /** An empty folder: gets `log`, all at once, when the new log is complete. */
  readonly into: string;
  /** What others remember of segments' salts, by the segment's number. */
  readonly knownSalts?: ReadonlyMap<number, number>;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
  /** For tests, which pull no plug. */
  readonly disk?: Disk;
}

/** In place of missing segments stand empty ones, so that numbers are without gaps: not for a name that is a mistake. */
const missingMax = 10_000;

/** The folder in which a new log stands until all of it is written and checked. */
export const unfinishedLog = "log.salvaging";

/**
 * Copies every good record of a log, damaged or not, into a new one, in the same order. A segment keeps its number and
 * its salt, so that whatever was made of it before still knows it; whole ones are copied byte for byte. In place of one
 * that is missing, or of which nothing is left, stands an empty one.
 * @throws {SetlistError} NOT_FOUND where there is no segment; INTERNAL where the numbers make no sense.
 */
export async function salvageLog(options: SalvageOptions): Promise<LogSalvage> {
  const { directory, into, knownSalts = new Map(), onProgress, disk = realDisk } = options;
  const placed = await placeSegments(await listSegments(directory));
  const first = placed[0];
  if (first === undefined)
    throw new SetlistError("NOT_FOUND", `there is no segment of a log in ${directory}`);
  const staging = join(into, unfinishedLog);
  await rm(staging, { recursive: true, force: true });
  await disk.makeDirectory(staging);
  const salvage = new Salvage(disk, staging, knownSalts);
  let next = first.number;
  for (const [index, { number }] of placed.entries()) {
    if (placed[index - 1]?.number === number) continue;
    if (number - next > missingMax) throw tooManyMissing(directory, next, number);
    await salvage.missing(next, number);
    const files = placed.filter((one) => one.number === number);
    await salvage.take(number, files, index + files.length === placed.length);
    next = number + 1;
    onProgress?.(index + 1, placed.length);
  }
  const summary = salvage.summary();
  await check(staging, summary);
  await disk.syncDirectory(staging);
  await disk.rename(staging, join(into, "log"));
  await disk.syncDirectory(into);
  await disk.syncDirectory(dirname(into));
  return summary;
}

class Salvage {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #knownSalts: ReadonlyMap<number, number>;
  readonly #losses: SegmentLoss[] = [];
  readonly #kept = { impressions: 0, outcomes: 0, shadows: 0 };
  #segments = 0;
  #truncatedBytes = 0;

  constructor(disk: Disk, folder: string, knownSalts: ReadonlyMap<number, number>) {
    this.#disk = disk;
    this.#folder = folder;
    this.#knownSalts = knownSalts;
  }

  /** Makes up for the segments from `from` to before `to`, which are not there. */
  async missing(from: number, to: number): Promise<void> {
    for (let number = from; number < to; number++) {
      await this.#writeEmpty(number);
      this.#lose(segmentFile("", number, true).name, null, [whole(0, "the segment is missing")]);
    }
  }

  /** Writes what is left of a segment, of which there may be more files than one: then the one that holds most. */
  async take(number: number, placed: readonly PlacedSegment[], isLast: boolean): Promise<void> {
    const read = [];
    for (const one of placed) read.push(await this.#read(number, one));
    read.sort((one, other) => total(other.segment.kept) - total(one.segment.kept));
    const [best, ...others] = read;
    if (best === undefined) return;
    for (const { file, size, segment } of others) {
      const same = segment.header !== undefined && segment.header.salt === best.segment.header?.salt;
      const reason = `the segment is there twice: ${best.file.name} holds as much or more, and was taken`;
      this.#lose(file.name, same ? 0 : null, [whole(size, reason)]);
    }
    // What a start removes at the end of a log: a file that was being made, and one in which nothing is yet.
    const { frames, lost, lostRecords, truncatedBytes } = best.segment;
    const isSpare = frames.length === 0 && lost.length === 0 && !best.file.sealed;
    if (!isSpare || !isLast) await this.#write(number, best.file, best.segment);
    this.#truncatedBytes += truncatedBytes;
    if (lost.length > 0) this.#lose(best.file.name, lostRecords ?? null, lost);
  }

  summary(): LogSalvage {
    return {
      ...this.#kept,
      segments: this.#segments,
      truncatedBytes: this.#truncatedBytes,
      lostRecords: this.#losses.reduce((sum, { records }) => sum + (records ?? 0), 0),
      lostBytes: this.#losses.reduce((sum, { bytes }) => sum + bytes, 0),
      losses: this.#losses,
    };
  }

  async #read(
    number: number,
    { file, copyOf }: PlacedSegment,
  ): Promise<{ file: SegmentFile; size: number; segment: SalvagedSegment }> {
    const { bytes, unreadableBytes, reason } = await bytesOf(file);
    const size = bytes.length;
    if (copyOf !== undefined) return { file, size, segment: nothing(size, 0, `a copy of ${copyOf.name}`) };
    if (reason !== undefined) return { file, size, segment: nothing(0, undefined, reason) };
    const known = this.#knownSalts.get(number);
    const segment = salvageSegment(file, bytes, known === undefined ? [] : [known]);
    if (unreadableBytes === 0) return { file, size, segment };
    const place = { offset: 0, bytes: 0, reason: `the disk could not read ${unreadableBytes} of its bytes` };
    return { file, size, segment: { ...segment, lost: [place, ...segment.lost], whole: false } };
  }

  async #write(number: number, file: SegmentFile, segment: SalvagedSegment): Promise<void> {
    const { header, frames, kept } = segment;
    if (header === undefined) return await this.#writeEmpty(number);
    if (segment.whole) await this.#copy(file, number);
    else await this.#writeSegment({ ...header, number }, header.version, frames, kept);
    this.#segments++;
    this.#kept.impressions += kept.impressions;
    this.#kept.outcomes += kept.outcomes;
    this.#kept.shadows += kept.shadows;
  }

  async #writeEmpty(number: number): Promise<void> {
    const salt = this.#knownSalts.get(number) ?? newSalt();
    await this.#writeSegment({ number, salt, madeAt: 0 }, undefined, [], {
      impressions: 0,
      outcomes: 0,
      shadows: 0,
    });
    this.#segments++;
  }

  async #writeSegment(
    header: { readonly number: number; readonly salt: number; readonly madeAt: number },
    version: number | undefined,
    frames: readonly Buffer[],
    kept: Seal,
  ): Promise<void> {
    const seal = new RecordWriter();
    writeSealFrame(seal, kept);
    const records = Buffer.concat([...frames, seal.bytes()]);
    stampFrames(records, header.salt, segmentHeaderBytes, 0);
    const made = await this.#disk.create(segmentFile(this.#folder, header.number, true).path);
    try {
      await made.write([encodeSegmentHeader(header, version), records], 0);
      await made.sync();
    } finally {
      await made.close();
    }
  }

  async #copy(file: SegmentFile, number: number): Promise<void> {
    const { path } = segmentFile(this.#folder, number, true);
    await copyFile(file.path, path);
    const made = await this.#disk.open(path);
    try {
      await made.sync();
    } finally {
      await made.close();
    }
  }

  #lose(segment: string, records: number | null, places: readonly LostPlace[]): void {
    const bytes = places.reduce((sum, place) => sum + place.bytes, 0);
    this.#losses.push({ segment, records, bytes, places });
  }
}

/** The new log is read as a start would read it before anybody gets to see it. */
async function check(folder: string, { impressions, outcomes, shadows }: LogSalvage): Promise<void> {
  const found = await verifyLog(folder);
  const same =
    found.impressions === impressions && found.outcomes === outcomes && (found.shadows ?? 0) === shadows;
  if (same && found.corrupt.length === 0 && found.truncatedBytes === 0) return;
  throw new Error(`the salvaged log in ${folder} does not verify: ${JSON.stringify(found)}`);
}

async function bytesOf(
  file: SegmentFile,
): Promise<{ bytes: Buffer; unreadableBytes: number; reason: string | undefined }> {
  const handle = await openSegmentFile(file);
  if (handle === undefined)
    return { bytes: Buffer.alloc(0), unreadableBytes: 0, reason: "it was taken away" };
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return { bytes: Buffer.alloc(0), unreadableBytes: 0, reason: "it is no file" };
    const read = async (to: Buffer, position: number): Promise<number> =>
      (await handle.read(to, 0, to.length, position)).bytesRead;
    return { ...(await readPatiently(read, stats.size)), reason: undefined };
  } finally {
    await handle.close();
  }
}

function nothing(bytes: number, lostRecords: number | undefined, reason: string): SalvagedSegment {
  return {
    header: undefined,
    frames: [],
    kept: { impressions: 0, outcomes: 0, shadows: 0 },
    lost: [whole(bytes, reason)],
    lostRecords,
    truncatedBytes: 0,
    whole: false,
  };
}

function whole(bytes: number, reason: string): LostPlace {
  return { offset: 0, bytes, reason };
}

function total({ impressions, outcomes, shadows }: Seal): number {
  return impressions + outcomes + shadows;
}

function tooManyMissing(directory: string, from: number, to: number): SetlistError {
  return new SetlistError(
    "INTERNAL",
    `the segments from ${from} to ${to - 1} in ${directory} are missing: if the name of segment ${to} is a mistake, ` +
      "copy the others to another folder and salvage them there",
  );
}
