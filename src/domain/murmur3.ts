/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain reference `MurmurHash3.cpp`), over the UTF-8 bytes of `text`.
 * The one hash of Setlist: assignment buckets and hashed features are both defined by it, so that a client in any
 * language can compute them. Returns an unsigned 32-bit integer.
 */
export function murmur3(text: string, seed = 0): number {
  const bytes = utf8(text);
  const length = bytes.length;
  const blocksEnd = length & ~3;
  let hash = seed | 0;
  for (let i = 0; i < blocksEnd; i += 4) hash = mixBlock(hash, littleEndian(bytes, i, i + 4));
  if (length !== blocksEnd) hash ^= scrambleBlock(littleEndian(bytes, blocksEnd, length));
  return finishHash(hash, length);
}

/**
 * The UTF-8 bytes of `text`. Nearly all ids are ASCII, and for a short one an array of small numbers takes 60 ns where
 * a TextEncoder takes 480, more than the hash itself.
 */
export function utf8(text: string): readonly number[] {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return Array.from(encoder.encode(text));
    bytes.push(code);
  }
  return bytes;
}

const encoder = new TextEncoder();

/** Up to four bytes as one block. */
export function littleEndian(bytes: readonly number[], from: number, to: number): number {
  let block = 0;
  for (let i = to - 1; i >= from; i--) block = (block << 8) | (bytes[i] as number);
  return block;
}

/** The hash after one whole block. */
export function mixBlock(hash: number, block: number): number {
  return mixScrambled(hash ^ scrambleBlock(block));
}

/** The second half of `mixBlock`: `mixed` is the hash so far, xor the scrambled block. */
export function mixScrambled(mixed: number): number {
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

export function scrambleBlock(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** The finished hash of `length` bytes. */
export function finishHash(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
