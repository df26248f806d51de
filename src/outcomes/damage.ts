/**
 * Telling a torn tail from corruption in the middle, for a segment that was still being written.
 *
 * What a stopped writer leaves. After the end of the process the file holds a prefix of what was written: at most its
 * last record is incomplete. After the end of the machine the part since the last sync may also have holes: sectors
 * that never reached the disk and read as zeros, with later ones in place. Neither can hold an acknowledged outcome.
 * Anything else was whole once and was changed: that stops the start, since nobody can say what it held.
 *
 * So, for a bad record at offset B:
 * - no valid record behind it: a torn tail.
 * - a valid record behind it that says "synced up to S" with S > B: B was on the disk. Corruption.
 * - else, where the gap up to the next valid record holds a whole sector of zeros, or only zeros from B to the end of
 *   its sector: a hole in the part that was never synced, or a sector as it was before B was written into it; the tail
 *   is torn from B on. No record has 512 zeros in a row: items keep their ids between their numbers; and none begins
 *   with a zero.
 * - else corruption.
 */
import { checkFrame, frameMarker, syncedBytesAt } from "./frame.ts";

const sectorBytes = 512;

export type Damage = "torn" | "corrupt";

/** @param rest the file from the bad record (at `offset`) to its end. */
export function judgeDamage(rest: Buffer, salt: number, offset: number): Damage {
  const next = nextFrame(rest, 1, salt, offset);
  if (next === undefined) return "torn";
  for (let at: number | undefined = next; at !== undefined; at = nextFrame(rest, at + 1, salt, offset)) {
    if (syncedBytesAt(rest, at) > offset) return "corrupt";
  }
  return hasUnwrittenSector(rest.subarray(0, next), offset) ? "torn" : "corrupt";
}

/** Where in `rest` the first valid frame from `from` on starts. `rest` stands at `offset` of its file. */
export function nextFrame(rest: Buffer, from: number, salt: number, offset: number): number | undefined {
  for (let at = rest.indexOf(frameMarker, from); at !== -1; at = rest.indexOf(frameMarker, at + 1)) {
    if (checkFrame(rest, at, rest.length, salt, offset + at) > 0) return at;
  }
  return undefined;
}

function hasUnwrittenSector(gap: Buffer, offset: number): boolean {
  const firstWhole = (sectorBytes - (offset % sectorBytes)) % sectorBytes;
  if (firstWhole > 0 && firstWhole <= gap.length && isZero(gap.subarray(0, firstWhole))) return true;
  for (let at = firstWhole; at + sectorBytes <= gap.length; at += sectorBytes) {
    if (isZero(gap.subarray(at, at + sectorBytes))) return true;
  }
  return false;
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeroSector.subarray(0, bytes.length));
}

const zeroSector = Buffer.alloc(sectorBytes);
