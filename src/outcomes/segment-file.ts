import { readdir } from "node:fs/promises";
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
