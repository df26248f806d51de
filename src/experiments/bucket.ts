import { finishHash, littleEndian, mixBlock, mixScrambled, scrambleBlock, utf8 } from "../domain/murmur3.ts";

/**
 * A unit's id, made ready for all the places that one request asks for: its UTF-8 bytes as the four-byte blocks that
 * the hash takes, once for each of the four offsets at which they may stand behind a salt.
 */
export class UnitKey {
  readonly id: string;
  /** In UTF-8 bytes. */
  readonly length: number;
  readonly #bytes: readonly number[];
  readonly #blocks: (readonly number[] | undefined)[] = [undefined, undefined, undefined, undefined];

  constructor(id: string) {
    this.id = id;
    this.#bytes = utf8(id);
    this.length = this.#bytes.length;
  }

  /**
   * The blocks of `offset` (0 to 3) empty bytes and the id behind them; the last one may not be full. All but the first
   * are scrambled already: only that one still gets bytes of the salt.
   */
  blocksAt(offset: number): readonly number[] {
    return this.#blocks[offset] ?? this.#makeBlocks(offset);
  }

  #makeBlocks(offset: number): readonly number[] {
    const bytes = this.#bytes;
    const blocks: number[] = [];
    let block = 0;
    let bits = offset * 8;
    for (let i = 0; i < bytes.length; i++) {
      block |= (bytes[i] as number) << bits;
      bits += 8;
      if (bits === 32) {
        blocks.push(blocks.length === 0 ? block : scrambleBlock(block));
        block = 0;
        bits = 0;
      }
    }
    if (bits !== 0) blocks.push(blocks.length === 0 ? block : scrambleBlock(block));
    this.#blocks[offset] = blocks;
    return blocks;
  }
}

/**
 * The places of one salt: `murmur3_x86_32(utf8(salt + ":" + unitId), seed 0) / 2^32`, in [0, 1). docs/assignment.md
 * publishes it with test vectors; domain/murmur3.ts is the plain form that this one must equal.
 *
 * A request asks forty salts about one unit, so the salt's part of the hash is worked out here, once, and the unit's
 * bytes are put into blocks once for all of them: a place then takes 10 ns where hashing the joined text takes 340.
 */
export class Bucket {
  readonly #length: number;
  readonly #hash: number;
  /** The up to three bytes that wait for the unit's first to fill their block. */
  readonly #waiting: number;
  readonly #offset: number;

  constructor(salt: string) {
    const prefix = utf8(`${salt}:`);
    const blocksEnd = prefix.length & ~3;
    let hash = 0;
    for (let i = 0; i < blocksEnd; i += 4) hash = mixBlock(hash, littleEndian(prefix, i, i + 4));
    this.#hash = hash;
    this.#length = prefix.length;
    this.#offset = prefix.length - blocksEnd;
    this.#waiting = littleEndian(prefix, blocksEnd, prefix.length);
  }

  placeOf(unit: UnitKey): number {
    const length = this.#length + unit.length;
    const whole = (this.#offset + unit.length) >> 2;
    const blocks = unit.blocksAt(this.#offset);
    let hash = this.#hash;
    if (blocks.length > 0) {
      hash ^= scrambleBlock((blocks[0] as number) | this.#waiting);
      if (whole > 0) hash = mixScrambled(hash);
      for (let i = 1; i < whole; i++) hash = mixScrambled(hash ^ (blocks[i] as number));
      if (whole > 0 && whole < blocks.length) hash ^= blocks[whole] as number;
    }
    return finishHash(hash, length) * 2 ** -32;
  }
}
