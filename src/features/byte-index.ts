import { hashBytes, type IdBytes } from "../domain/id-bytes.ts";

/**
 * What is known of a slot stands in one record of 32 bytes, so that a look-up touches one cache line of the table and
 * one more: the id's hash, its length, its bytes. Ids that do not fit are found by their text.
 */
const recordWords = 8;
const recordBytes = recordWords * 4;
const keyBytesMax = recordBytes - 8;
const encoder = new TextEncoder();

/**
 * Slots by the bytes of their ids: an open-addressing table over memory that does not move, so that looking up an id
 * makes no text and no object.
 */
export class ByteIndex {
  /** Slot + 1, 0 where there is none; at most half full. */
  #table = new Int32Array(16);
  #used = 0;
  /** Records by slot, and the same memory as bytes. A length of 0 is that of a slot that is not here. */
  #words = new Int32Array(0);
  #bytes = new Uint8Array(0);

  add(id: string, slot: number): void {
    const bytes = encoder.encode(id);
    if (bytes.length > keyBytesMax) return;
    this.#reserve(slot);
    this.#words[slot * recordWords] = hashBytes(bytes, 0, bytes.length);
    this.#words[slot * recordWords + 1] = bytes.length;
    this.#bytes.set(bytes, slot * recordBytes + 8);
    this.#used += 1;
    if (this.#used * 2 > this.#table.length) this.#double();
    else this.#place(slot);
  }

  /** The slot of an id; -1 where it has none, or is found by its text only. */
  find(ids: IdBytes, index: number): number {
    const hash = ids.hashes[index] as number;
    const start = ids.starts[index] as number;
    const length = (ids.ends[index] as number) - start;
    const table = this.#table;
    const words = this.#words;
    const mask = table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (table[at] as number) - 1;
      if (slot < 0) return -1;
      const record = slot * recordWords;
      if (
        words[record] === hash &&
        words[record + 1] === length &&
        this.#is(slot, length, ids.bytes, start)
      ) {
        return slot;
      }
    }
  }

  delete(slot: number): void {
    const mask = this.#table.length - 1;
    if (this.#lengthOf(slot) === 0) return;
    let hole = this.#hashOf(slot) & mask;
    while (this.#table[hole] !== slot + 1) hole = (hole + 1) & mask;
    // Whatever was placed past the hole because of it moves back, or it would not be found any more.
    for (let at = (hole + 1) & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf((this.#table[at] as number) - 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#table[hole] = this.#table[at] as number;
      hole = at;
    }
    this.#table[hole] = 0;
    this.#words[slot * recordWords + 1] = 0;
    this.#used -= 1;
  }

  #hashOf(slot: number): number {
    return this.#words[slot * recordWords] as number;
  }

  #lengthOf(slot: number): number {
    return this.#words[slot * recordWords + 1] ?? 0;
  }

  #is(slot: number, length: number, bytes: Uint8Array, start: number): boolean {
    const from = slot * recordBytes + 8;
    for (let at = 0; at < length; at++) if (this.#bytes[from + at] !== bytes[start + at]) return false;
    return true;
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1;
    let at = this.#hashOf(slot) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = slot + 1;
  }

  #double(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    const slots = this.#words.length / recordWords;
    for (let slot = 0; slot < slots; slot++) if (this.#lengthOf(slot) !== 0) this.#place(slot);
  }

  #reserve(slot: number): void {
    const slots = this.#words.length / recordWords;
    if (slot < slots) return;
    const words = new Int32Array(Math.max(1_024, slots * 2, slot + 1) * recordWords);
    words.set(this.#words);
    this.#words = words;
    this.#bytes = new Uint8Array(words.buffer);
  }
}
