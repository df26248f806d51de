import { stat } from "node:fs/promises";
import { SetlistError } from "../domain/error.ts";
import type { LogRecord } from "../domain/ports.ts";
import { corruptionError } from "./corruption.ts";
import { realDisk } from "./disk.ts";
import { batchesOf } from "./segment-batches.ts";
import type { SegmentFile } from "./segment-file.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

/** A segment as it was listed; a sealed one never changes again. */
export interface LogSegment {
  /** Its number as the directory writes it: `0000000012`. */
  readonly name: string;
  readonly sealed: boolean;
  /**
   * Its own random number.
   * @throws {SetlistError} NOT_FOUND where it was taken away; INTERNAL where the header is damaged or of another schema
   *   version.
   */
  salt(): Promise<number>;
  /**
   * Some dozens of records at a time, to the end of the segment; no batch is empty. Of one that is being written they are
   * those that were there when it was opened, at the first batch.
   * @throws {SetlistError} NOT_FOUND where it was taken away; INTERNAL at a damaged record, naming segment, offset and
   *   record.
   */
  read(): AsyncIterable<readonly LogRecord[]>;
  /** How many bytes it has. @throws {SetlistError} NOT_FOUND as above. */
  size(): Promise<number>;
  /**
   * Deletes it for good. Only ever the oldest, never the newest sealed one, and one after the other: numbers have no gaps,
   * and the next segment's follows from those that are there.
   */
  remove(): Promise<void>;
}

/** All segments in the order in which they were written. */
export async function logSegments(directory: string): Promise<readonly LogSegment[]> {
  const { segments, wrong } = await numberedSegments(directory);
  if (wrong !== undefined) throw corruptionError(directory, wrong);
  return segments.map((file) => ({
    name: file.name.slice(0, 10),
    sealed: file.sealed,
    async salt() {
      const scan = await openSegment(file, directory);
      await scan.close();
      return scan.salt;
    },
    read: () => readSegment(file, directory),
    async size() {
      const { size } = await stat(file.path).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? takenAway(file) : error;
      });
      return size;
    },
    async remove() {
      await realDisk.remove(file.path);
      await realDisk.syncDirectory(directory);
    },
  }));
}

/** Those of them that are sealed, and how many are not yet. */
export async function sealedSegments(
  directory: string,
): Promise<{ sealed: readonly LogSegment[]; open: number }> {
  const segments = await logSegments(directory);
  const sealed = segments.filter((segment) => segment.sealed);
  return { sealed, open: segments.length - sealed.length };
}

async function openSegment(file: SegmentFile, directory: string): Promise<SegmentScan> {
  const scan = await SegmentScan.open(file, directory);
  if (scan === undefined) throw takenAway(file);
  if (scan.fault?.damage !== "corrupt") return scan;
  await scan.close();
  throw corruptionError(directory, { segment: file.name, ...scan.fault });
}

function takenAway({ path }: SegmentFile): SetlistError {
  return new SetlistError("NOT_FOUND", `log segment ${path} was taken away`);
}

async function* readSegment(
  file: SegmentFile,
  directory: string,
): AsyncGenerator<readonly LogRecord[], undefined> {
  const scan = await openSegment(file, directory);
  yield* batchesOf(scan);
  // What is torn is still being written, or never was acknowledged; a sealed segment is not torn.
  if (scan.fault?.damage === "corrupt")
    throw corruptionError(directory, { segment: scan.file.name, ...scan.fault });
}
