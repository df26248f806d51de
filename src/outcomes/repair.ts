import { checkFrame, frameHeaderBytes } from "./frame.ts";
import { impressionKind, isComparisonKind, outcomeKind } from "./record-codec.ts";

/** Of the bytes that no sync covered: the frames of impressions and comparisons, joined, and what was left out. */
export interface KeptRecords {
  readonly frames: Buffer;
  /** How many bytes of them stand in the file as they have to: those before the first that was left out. */
  readonly standing: number;
  readonly droppedImpressions: number;
  readonly droppedOutcomes: number;
  readonly droppedShadows: number;
}

/** @param unsynced whole frames as they stand at `offset` of the segment; what does not check out is left out. */
export function keptRecords(unsynced: Buffer, salt: number, offset: number): KeptRecords {
  const kept: Buffer[] = [];
  let droppedImpressions = 0;
  let droppedOutcomes = 0;
  let droppedShadows = 0;
  let standing: number | undefined;
  for (let start = 0; start + frameHeaderBytes < unsynced.length; ) {
    const end = start + frameHeaderBytes + unsynced.readUInt32LE(start + 8);
    const kind = unsynced[start + frameHeaderBytes];
    const valid = checkFrame(unsynced, start, unsynced.length, salt, offset + start) > 0;
    const isKept = kind === impressionKind || isComparisonKind(kind);
    if (isKept && valid) kept.push(unsynced.subarray(start, end));
    else {
      standing ??= start;
      if (kind === impressionKind) droppedImpressions++;
      else if (isComparisonKind(kind)) droppedShadows++;
      else if (kind === outcomeKind) droppedOutcomes++;
    }
    start = end;
  }
  const frames = Buffer.concat(kept);
  return {
    frames,
    standing: standing ?? frames.length,
    droppedImpressions,
    droppedOutcomes,
    droppedShadows,
  };
}
