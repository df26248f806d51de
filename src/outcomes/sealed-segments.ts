import { SetlistError } from "../domain/error.ts";
import type { LogRecord } from "../domain/ports.ts";
import { corruptionError } from "./corruption.ts";
import { batchesOf } from "./segment-batches.ts";
import type { SegmentFile } from "./segment-file.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

/** A segment that never changes again. */
export interface SealedSegment {
  /** Its number as the directory writes it: `0000000012`. */
  readonly name: string;
  /** Its own random number. @throws {SetlistError} INTERNAL where the header is damaged or of another schema version. */
  salt(): Promise<number>;
  /**
   * Some dozens of records at a time, to the end of the segment; no batch is empty.
   * @throws {SetlistError} INTERNAL at a damaged record, naming segment, offset and record.
   */
  read(): AsyncIterable<readonly LogRecord[]>;
}

/** The sealed segments in the order in which they were written, and how many are not sealed yet. */
export async function sealedSegments(
  directory: string,
): Promise<{ sealed: readonly SealedSegment[]; open: number }> {
  const { segments, wrong } = await numberedSegments(directory);
  if (wrong !== undefined) throw corruptionError(directory, wrong);
  const files = segments.filter((file) => file.sealed);
  return {
    sealed: files.map((file) => ({
      name: file.name.slice(0, 10),
      async salt() {
        const scan = await openSealed(file, directory);
        await scan.close();
        return scan.salt;
      },
      read: () => readSealed(file, directory),
    })),
    open: segments.length - files.length,
  };
}

async function openSealed(file: SegmentFile, directory: string): Promise<SegmentScan> {
  const scan = await SegmentScan.open(file, directory);
  if (scan === undefined) throw new SetlistError("NOT_FOUND", `log segment ${file.path} was taken away`);
  if (scan.fault === undefined) return scan;
  await scan.close();
  throw corruptionError(directory, { segment: file.name, ...scan.fault });
}

async function* readSealed(
  file: SegmentFile,
  directory: string,
): AsyncGenerator<readonly LogRecord[], undefined> {
  const scan = await openSealed(file, directory);
  yield* batchesOf(scan);
  if (scan.fault !== undefined) throw corruptionError(directory, { segment: scan.file.name, ...scan.fault });
}
