/**
 * The frame around every record: how it is found, how long it is and whether it is whole.
 *
 * | bytes | holds |
 * |---|---|
 * | 0..4 | the marker, with two bytes that no UTF-8 text contains: what a client sends cannot look like a frame |
 * | 4..8 | crc32 of everything behind it, started with the segment's salt plus the frame's offset: a frame that was copied, moved or left over from another file is not valid where it stands |
 * | 8..12 | bytes of the payload |
 * | 12..16 | how much of the segment was known to be on the disk when this frame was written |
 * | 16.. | the payload: its kind, then what `record-codec.ts` writes |
 */
import { crc32 } from "node:zlib";
import { invalidArgument } from "../domain/error.ts";
import type { RecordWriter } from "./record-writer.ts";

export const frameHeaderBytes = 16;
export const frameMarker = Buffer.from([0xff, 0x53, 0x52, 0xfe]);
const markerNumber = frameMarker.readUInt32LE(0);

/** No record comes near: 2,000 items with ids of 256 bytes and ten tasks have 0.7 MB. A length above is damage. */
export const payloadBytesMax = 16 * 1024 * 1024;

/**
 * What stands at `start` of `buffer`: the length of the payload (0 or more) of a valid frame, or a `FrameFault`.
 * @param offset the frame's offset in its file.
 */
export function checkFrame(buffer: Buffer, start: number, end: number, salt: number, offset: number): number {
  if (end - start < frameHeaderBytes) return cutShort;
  if (buffer.readUInt32LE(start) !== markerNumber) return noMarker;
  const payloadBytes = buffer.readUInt32LE(start + 8);
  if (payloadBytes === 0 || payloadBytes > payloadBytesMax) return badLength;
  const frameEnd = start + frameHeaderBytes + payloadBytes;
  if (frameEnd > end) return cutShort;
  const sum = crc32(buffer.subarray(start + 8, frameEnd), seedOf(salt, offset));
  return sum === buffer.readUInt32LE(start + 4) ? payloadBytes : badChecksum;
}

/** Faults that `checkFrame` answers with. `cutShort` may only mean that more has to be read. */
export const cutShort = -1;
const noMarker = -2;
const badLength = -3;
const badChecksum = -4;

export function describeFault(fault: number): string {
  switch (fault) {
    case cutShort:
      return "the file ends inside the record";
    case noMarker:
      return "no record starts here";
    case badLength:
      return "the record's length is impossible";
    default:
      return "the checksum does not match";
  }
}

/** How much of the segment was on the disk when the frame at `start` was written. */
export function syncedBytesAt(buffer: Buffer, start: number): number {
  return buffer.readUInt32LE(start + 12);
}

/** Makes room for a frame's header; answers where the frame starts. */
export function beginFrame(to: RecordWriter): number {
  const start = to.used;
  to.skip(frameHeaderBytes);
  return start;
}

/**
 * Fills in the length. The rest waits until the frame's place in a file is known.
 * @throws {SetlistError} INVALID_ARGUMENT where the record is too long; `to` is then as before.
 */
export function endFrame(to: RecordWriter, start: number): void {
  const payloadBytes = to.used - start - frameHeaderBytes;
  if (payloadBytes > payloadBytesMax) {
    to.used = start;
    throw invalidArgument(
      `a record of ${payloadBytes} bytes: the outcome log takes at most ${payloadBytesMax}`,
    );
  }
  to.uint32At(start + 8, payloadBytes);
}

/** Where the frame at `start` ends, by the length that `endFrame` filled in. */
export function frameEnd(frames: Buffer, start: number): number {
  return start + frameHeaderBytes + frames.readUInt32LE(start + 8);
}

/** Whether `bytes` are frames, one behind the other, as `endFrame` leaves them. */
export function areFrames(bytes: Buffer): boolean {
  let start = 0;
  while (bytes.length - start > frameHeaderBytes) {
    const end = frameEnd(bytes, start);
    if (end === start + frameHeaderBytes || end > bytes.length) return false;
    start = end;
  }
  return start === bytes.length;
}

/** Completes every frame of `frames`, which goes to `offset` of a segment. Answers how many there are. */
export function stampFrames(frames: Buffer, salt: number, offset: number, syncedBytes: number): number {
  let count = 0;
  for (let start = 0; start < frames.length; count++) {
    const end = frameEnd(frames, start);
    frames.writeUInt32LE(markerNumber, start);
    frames.writeUInt32LE(syncedBytes, start + 12);
    frames.writeUInt32LE(crc32(frames.subarray(start + 8, end), seedOf(salt, offset + start)), start + 4);
    start = end;
  }
  return count;
}

function seedOf(salt: number, offset: number): number {
  return (salt + offset) >>> 0;
}
