/**
 * Repeatable draws: xoshiro128++ 1.0 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM
 * TOMS 47(4), 2021, DOI 10.1145/3460772; public domain reference `xoshiro128plusplus.c`).
 */
import type { Random } from "../domain/clock.ts";
import { murmur3 } from "../domain/murmur3.ts";

/**
 * A stream of its own for each name: equal parts give equal draws, whoever else draws in between. That is what lets
 * concurrent visits repeat themselves.
 */
export function randomStream(...parts: readonly (string | number)[]): Random {
  const name = parts.join("/");
  const bits = xoshiro128plusplus([murmur3(name, 1), murmur3(name, 2), murmur3(name, 3), murmur3(name, 4)]);
  // 53 bits: 27 from one word and 26 from the next, as many as a double in [0, 1) can hold.
  return { next: () => ((bits() >>> 5) * 0x400_0000 + (bits() >>> 6)) / 0x20_0000_0000_0000 };
}

/** Unsigned 32-bit integers from a state of four words, of which not all may be 0. */
export function xoshiro128plusplus(state: readonly [number, number, number, number]): () => number {
  let [s0, s1, s2, s3] = state;
  // The all-zero state is the one that never leaves itself.
  if ((s0 | s1 | s2 | s3) === 0) s0 = 1;
  return () => {
    const result = (rotateLeft((s0 + s3) | 0, 7) + s0) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result;
  };
}

/** A whole number in [0, count). */
export function drawBelow(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
