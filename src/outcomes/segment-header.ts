import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The first 32 bytes of a segment, little-endian:
 *
 * | bytes | holds |
 * |---|---|
 * | 0..8 | `89 53 45 54 4C 4F 47 0A`: a byte that is no text, `SETLOG`, a line feed that a text transfer would change |
 * | 8..10 | schema version of the records |
 * | 10..12 | 0 |
 * | 12..16 | the segment's number |
 * | 16..20 | salt: random, goes into the checksum of every frame |
 * | 20..28 | float64, when it was made, ms since 1970, UTC |
 * | 28..32 | crc32 of bytes 0..28 |
 */
export const segmentHeaderBytes = 32;

/**
 * Rises when a reader of the old version could misread the records. Version 2 keeps the features that a request sent;
 * a record of version 1 reads as one of version 2 that has none. Version 3 has comparisons with shadow models too,
 * version 4 what other arms would have shown, and how interleaved items were drafted; version 5 an impression's
 * attributes, candidates beyond the limit and features as served.
 */
const schemaVersion = 5;

const magic = Buffer.from([0x89, 0x53, 0x45, 0x54, 0x4c, 0x4f, 0x47, 0x0a]);

export interface SegmentHeader {
  readonly number: number;
  readonly salt: number;
  readonly madeAt: number;
}

export function newSalt(): number {
  return randomBytes(4).readUInt32LE(0);
}

/** @param version another one than ours for tests of what a later Setlist wrote. */
export function encodeSegmentHeader(header: SegmentHeader, version = schemaVersion): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  magic.copy(bytes);
  bytes.writeUInt16LE(version, 8);
  bytes.writeUInt32LE(header.number, 12);
  bytes.writeUInt32LE(header.salt, 16);
  bytes.writeDoubleLE(header.madeAt, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** What the bytes of a header say, whether it is whole or not: to be believed only where it is. */
export function claimedHeader(bytes: Buffer): SegmentHeader & { readonly version: number } {
  return {
    version: bytes.readUInt16LE(8),
    number: bytes.readUInt32LE(12),
    salt: bytes.readUInt32LE(16),
    madeAt: bytes.readDoubleLE(20),
  };
}

/** Whether records of the version can be read. */
export function isReadableVersion(version: number): boolean {
  return version >= 1 && version <= schemaVersion;
}

/** Whether nothing in the header was changed since it was written, of whatever version it is. */
export function isHeaderWhole(bytes: Buffer): boolean {
  if (bytes.length < segmentHeaderBytes || !bytes.subarray(0, magic.length).equals(magic)) return false;
  return crc32(bytes.subarray(0, 28)) === bytes.readUInt32LE(28);
}

/** The header, or why the bytes are none. `number` is what the file's name says. */
export function decodeSegmentHeader(
  bytes: Buffer,
  number: number,
): SegmentHeader | { readonly fault: string } {
  if (bytes.length < segmentHeaderBytes) return { fault: "the file ends inside its header" };
  if (!bytes.subarray(0, magic.length).equals(magic))
    return { fault: "the file is no segment of an outcome log" };
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28))
    return { fault: "the header's checksum does not match" };
  const { version, ...header } = claimedHeader(bytes);
  if (!isReadableVersion(version)) {
    return {
      fault: `schema version ${version}, and this Setlist reads 1 to ${schemaVersion}: use the one that wrote it`,
    };
  }
  if (header.number !== number)
    return { fault: `the header says segment ${header.number}: was the file renamed?` };
  return header;
}
