/**
 * The salt of a segment whose header cannot be read. It went into every frame's checksum, and a CRC can be run
 * backwards: from the checksum and the bytes that it covers to the number that it was started with, which is the salt
 * plus the frame's offset. Two frames that say the same salt prove it: by chance they do once in four billion.
 */
import { nextFrame } from "./damage.ts";
import { frameHeaderBytes, frameMarker, payloadBytesMax } from "./frame.ts";

/**
 * @param file the whole segment.
 * @param likely salts to try first, such as what the damaged header says: one frame that agrees proves it.
 * @returns undefined where no salt explains any frame that is there.
 */
export function lostSalt(file: Buffer, likely: readonly number[]): number | undefined {
  for (const salt of likely) if (nextFrame(file, 0, salt, 0) !== undefined) return salt;
  const said = new Set<number>();
  for (let at = file.indexOf(frameMarker); at !== -1; at = file.indexOf(frameMarker, at + 1)) {
    const salt = saltOfFrame(file, at);
    if (salt === undefined) continue;
    if (said.has(salt)) return salt;
    said.add(salt);
  }
  return undefined;
}

/** What the salt is if the frame at `start` is whole. */
function saltOfFrame(file: Buffer, start: number): number | undefined {
  if (file.length - start < frameHeaderBytes) return undefined;
  const payloadBytes = file.readUInt32LE(start + 8);
  const end = start + frameHeaderBytes + payloadBytes;
  if (payloadBytes === 0 || payloadBytes > payloadBytesMax || end > file.length) return undefined;
  const seed = crcStart(file.subarray(start + 8, end), file.readUInt32LE(start + 4));
  return (seed - start) >>> 0;
}

/** The number from which `crc32(bytes, number)` is `sum`. */
function crcStart(bytes: Buffer, sum: number): number {
  let state = ~sum >>> 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const index = indexByTop[state >>> 24] as number;
    state = (((state ^ (table[index] as number)) << 8) | (index ^ (bytes[at] as number))) >>> 0;
  }
  return ~state >>> 0;
}

/** The table of CRC-32 (reflected, polynomial 0xEDB88320), a step for each byte. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let state = byte;
  for (let bit = 0; bit < 8; bit++) state = state & 1 ? 0xedb88320 ^ (state >>> 1) : state >>> 1;
  return state >>> 0;
});

/** Each entry of the table has another highest byte: by it the entry is found again. */
const indexByTop = new Uint8Array(256);
for (const [index, entry] of table.entries()) indexByTop[entry >>> 24] = index;
