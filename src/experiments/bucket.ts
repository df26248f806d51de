/**
 * A unit's place: `murmur3_x86_32(utf8(salt + ":" + unitId), seed 0) / 2^32`, in [0, 1). docs/assignment.md publishes
 * it with test vectors; domain/murmur3.ts is the plain form that this one must equal.
 */
export type Bucket = (unitBytes: Uint8Array) => number;

/** The bytes that every bucket of one request reads. */
export function unitBytes(unitId: string): Uint8Array {
  return encoder.encode(unitId);
}

/**
 * The bucket function of one salt. A request asks twenty salts about one unit, so the salt's part of the hash is
 * worked out here, once, and the unit is encoded once for all of them: 25 ns a bucket where hashing the joined text
 * takes 250 ns.
 */
export function bucketOf(salt: string): Bucket {
  const prefix = encoder.encode(`${salt}:`);
  const blocksEnd = prefix.length & ~3;
  let prefixHash = 0;
  for (let i = 0; i < blocksEnd; i += 4) prefixHash = mix(prefixHash, littleEndian(prefix, i, i + 4));
  // The up to three bytes that wait for the unit's first to fill their block.
  const waiting = littleEndian(prefix, blocksEnd, prefix.length);
  const waitingBits = (prefix.length - blocksEnd) * 8;

  return (unit) => {
    let hash = prefixHash;
    let block = waiting;
    let bits = waitingBits;
    const length = unit.length;
    for (let i = 0; i < length; i++) {
      block |= (unit[i] as number) << bits;
      bits += 8;
      if (bits === 32) {
        hash = mix(hash, block);
        block = 0;
        bits = 0;
      }
    }
    if (bits !== 0) hash ^= scramble(block);
    return finish(hash ^ (prefix.length + length)) / 2 ** 32;
  };
}

const encoder = new TextEncoder();

function littleEndian(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = to - 1; i >= from; i--) value = (value << 8) | (bytes[i] as number);
  return value;
}

function mix(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
