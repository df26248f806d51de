import { closeSync, fdatasyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/**
 * The seconds that a program without a log would take: one write a record, or one write and one fdatasync a batch, one
 * after the other, of so many bytes each.
 */
export function bareLoop(directory: string, writes: number, bytes: number, sync: boolean): number {
  const buffer = Buffer.alloc(Math.round(bytes), 0x61);
  const path = join(directory, "bare");
  const file = openSync(path, "w");
  const start = performance.now();
  for (let i = 0; i < writes; i++) {
    writeSync(file, buffer);
    if (sync) fdatasyncSync(file);
  }
  const seconds = (performance.now() - start) / 1_000;
  closeSync(file);
  rmSync(path);
  return seconds;
}

/** Reads every segment into memory, and nothing more; answers how many bytes there are. */
export function readBare(directory: string): number {
  const segments = readdirSync(directory).filter((name) => /\.(seg|open)$/.test(name));
  return segments.reduce((bytes, name) => bytes + readFileSync(join(directory, name)).length, 0);
}
