import { setTimeout as sleep } from "node:timers/promises";
import type { Corruption } from "./corruption.ts";
import { listSegments, type SegmentFile } from "./segment-file.ts";

/** Of listings that say the same and are wrong. */
const attemptsMax = 5;
const listingsMax = 200;
const pauseMs = 10;

/**
 * The segments of a log, and what is wrong with their numbers. The first may have any number, since retention deletes the
 * oldest. A segment that a server renames, or one that is deleted, while the directory is being listed may be seen twice
 * or not at all: so a listing counts once the next one says the same.
 */
export async function numberedSegments(
  directory: string,
): Promise<{ segments: readonly SegmentFile[]; wrong: Corruption | undefined }> {
  let segments = await listSegments(directory);
  for (let listing = 1, same = 1; listing < listingsMax && same < attemptsMax; listing++) {
    const before = numbersOf(segments);
    if (listing > 1) await sleep(pauseMs);
    segments = await listSegments(directory);
    same = numbersOf(segments) === before ? same + 1 : 1;
    if (same > 1 && misnumbered(segments) === undefined) break;
  }
  return { segments, wrong: misnumbered(segments) };
}

function numbersOf(segments: readonly SegmentFile[]): string {
  return segments.map(({ number }) => number).join();
}

/** Segments are numbered without gaps, and each is either open or sealed: the first that breaks that, in their order. */
function misnumbered(segments: readonly SegmentFile[]): Corruption | undefined {
  for (let i = 1; i < segments.length; i++) {
    const previous = (segments[i - 1] as SegmentFile).number;
    const { number, name } = segments[i] as SegmentFile;
    if (number === previous + 1) continue;
    const reason =
      number === previous
        ? "the segment is there twice, open and sealed"
        : `the segments between ${previous} and ${number} are missing`;
    return { segment: name, offset: 0, record: 0, reason };
  }
  return undefined;
}
