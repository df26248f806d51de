import { stat } from "node:fs/promises";
import { SetlistError } from "../domain/error.ts";
import type { LogSegment } from "../domain/log-reading.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import { corruptionError } from "./corruption.ts";
import { realDisk } from "./disk.ts";
import { batchesOf } from "./segment-batches.ts";
import type { SegmentFile } from "./segment-file.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

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
