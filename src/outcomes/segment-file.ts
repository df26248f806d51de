import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A segment as the directory names it: `0000000012.open` while it is written, `0000000012.seg` once sealed. */
export interface SegmentFile {
  readonly number: number;
  readonly sealed: boolean;
  readonly name: string;
  readonly path: string;
}

export function segmentFile(directory: string, number: number, sealed: boolean): SegmentFile {
  const name = `${String(number).padStart(10, "0")}.${sealed ? "seg" : "open"}`;
  return { number, sealed, name, path: join(directory, name) };
}

/**
 * Opens what has a segment's name for reading; that may be a folder or a pipe, so whether it is a file is still to be seen.
 * Undefined where there is nothing of that name.
 */
export async function openSegmentFile({ path }: Pick<SegmentFile, "path">): Promise<FileHandle | undefined> {
  try {
    // Or a pipe of that name would wait for somebody who writes into it.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // A link to what is not there is no segment that was deleted: its records are somewhere.
    if ((await lstat(path).catch(() => undefined)) !== undefined) throw error;
    return undefined;
  }
}

/** The segments of a log in the order in which they were written; none where the directory does not exist. */
export async function listSegments(directory: string): Promise<SegmentFile[]> {
  const segments: SegmentFile[] = [];
  for (const name of await namesIn(directory)) {
    const match = /^(\d{10})\.(seg|open)$/.exec(name);
    if (match !== null) segments.push(segmentFile(directory, Number(match[1]), match[2] === "seg"));
  }
  return segments.sort((a, b) => a.number - b.number || Number(b.sealed) - Number(a.sealed));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
