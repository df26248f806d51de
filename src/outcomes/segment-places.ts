import { openSegmentFile, type SegmentFile } from "./segment-file.ts";
import { claimedHeader, isHeaderWhole, segmentHeaderBytes } from "./segment-header.ts";

/** Where a file of a damaged log belongs. */
export interface PlacedSegment {
  readonly file: SegmentFile;
  /** The header's where it is whole and no file of that name is there: the file was renamed. Else its name's. */
  readonly number: number;
  /** The file that this one was copied from, to another name. */
  readonly copyOf: SegmentFile | undefined;
}

/** By their places, in the order of the log. */
export async function placeSegments(files: readonly SegmentFile[]): Promise<PlacedSegment[]> {
  const headers = new Map<SegmentFile, Buffer>();
  for (const file of files) headers.set(file, await headerBytes(file));
  const placed = files.map((file): PlacedSegment => {
    const header = headers.get(file) as Buffer;
    if (!isHeaderWhole(header)) return { file, number: file.number, copyOf: undefined };
    const { number } = claimedHeader(header);
    if (number === file.number) return { file, number, copyOf: undefined };
    const there = files.find((other) => other.number === number);
    if (there === undefined) return { file, number, copyOf: undefined };
    const isCopy = headers.get(there)?.equals(header) === true;
    return { file, number: file.number, copyOf: isCopy ? there : undefined };
  });
  return placed.sort((one, other) => one.number - other.number);
}

async function headerBytes(file: SegmentFile): Promise<Buffer> {
  const handle = await openSegmentFile(file);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { bytesRead, buffer } = await handle.read(
      Buffer.alloc(segmentHeaderBytes),
      0,
      segmentHeaderBytes,
      0,
    );
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A folder or a pipe of that name, or a sector that the disk cannot read: reading the rest will say so.
    if (code === "EISDIR" || code === "ESPIPE" || code === "EIO") return Buffer.alloc(0);
    throw error;
  } finally {
    await handle.close();
  }
}
