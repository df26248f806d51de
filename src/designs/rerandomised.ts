/**
 * Units dealt to arms anew, as assignment would deal them under another salt: `murmur3_x86_32(utf8(salt + ":" + unit))`
 * (docs/assignment.md). All salts here end where a block of the hash does, so that a unit's bytes are made into scrambled
 * blocks once, for all of them, side by side in one array: a unit then takes some 7 ns a salt.
 */
import { finishHash, littleEndian, mixBlock, mixScrambled, scrambleBlock, utf8 } from "../domain/murmur3.ts";

/** The n-th salt, from 0 to 99,999. With the colon behind it it is 16 bytes long: four whole blocks. */
export function calibrationSalt(n: number): string {
  return `calibrate-${String(n).padStart(5, "0")}`;
}

const prefixBytes = 16;
const perHash = 2 ** -32;

export class RerandomisedUnits {
  readonly count: number;
  /** Where each unit's blocks begin in `#blocks`, and behind the last one's their end. */
  readonly #starts: Uint32Array;
  readonly #blocks: Int32Array;
  readonly #bytes: Uint32Array;

  constructor(units: readonly string[]) {
    this.count = units.length;
    this.#starts = new Uint32Array(units.length + 1);
    this.#bytes = new Uint32Array(units.length);
    const blocks: number[] = [];
    for (const [i, unit] of units.entries()) {
      const bytes = utf8(unit);
      this.#bytes[i] = bytes.length;
      for (let at = 0; at < bytes.length; at += 4) {
        blocks.push(scrambleBlock(littleEndian(bytes, at, Math.min(at + 4, bytes.length))));
      }
      this.#starts[i + 1] = blocks.length;
    }
    this.#blocks = Int32Array.from(blocks);
  }

  /**
   * Each unit's place in [0, 1) under a salt.
   * @param into as long as there are units.
   */
  places(salt: string, into: Float64Array): void {
    const prefix = utf8(`${salt}:`);
    if (prefix.length !== prefixBytes) throw new Error(`salt ${salt}: not one of calibrationSalt`);
    let start = 0;
    for (let at = 0; at < prefixBytes; at += 4) start = mixBlock(start, littleEndian(prefix, at, at + 4));
    const [lengths, starts, blocks] = [this.#bytes, this.#starts, this.#blocks];
    for (let i = 0; i < lengths.length; i++) {
      const bytes = lengths[i] as number;
      let at = starts[i] as number;
      const whole = at + (bytes >> 2);
      let hash = start;
      while (at < whole) hash = mixScrambled(hash ^ (blocks[at++] as number));
      // The last, unfinished block is xored in and not mixed.
      if ((bytes & 3) !== 0) hash ^= blocks[at] as number;
      into[i] = finishHash(hash, prefixBytes + bytes) * perHash;
    }
  }
}
