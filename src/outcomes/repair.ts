import { checkFrame, frameHeaderBytes } from "./frame.ts";
import { impressionKind, outcomeKind } from "./record-codec.ts";

/** Of the bytes that no sync covered: the frames of the impressions, joined, and what was left out. */
export interface KeptImpressions {
  readonly frames: Buffer;
  readonly droppedImpressions: number;
  readonly droppedOutcomes: number;
}

/** @param unsynced whole frames as they stand at `offset` of the segment; what does not check out is left out. */
export function keptImpressions(unsynced: Buffer, salt: number, offset: number): KeptImpressions {
  const kept: Buffer[] = [];
  let droppedImpressions = 0;
  let droppedOutcomes = 0;
  for (let start = 0; start + frameHeaderBytes < unsynced.length; ) {
    const end = start + frameHeaderBytes + unsynced.readUInt32LE(start + 8);
    const kind = unsynced[start + frameHeaderBytes];
    const valid = checkFrame(unsynced, start, unsynced.length, salt, offset + start) > 0;
    if (kind === impressionKind && valid) kept.push(unsynced.subarray(start, end));
    else if (kind === impressionKind) droppedImpressions++;
    else if (kind === outcomeKind) droppedOutcomes++;
    start = end;
  }
  return { frames: Buffer.concat(kept), droppedImpressions, droppedOutcomes };
}
