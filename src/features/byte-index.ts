import { hashBytes, type IdBytes } from "../domain/id-bytes.ts";

/** Longer ids are found by their text. */
const keyBytesMax = 32;
const encoder = new TextEncoder();

/**
 * Slots by the bytes of their ids: an open-addressing table over memory that does not move, so that looking up an id
 * makes no text and no object.
 */
export class ByteIndex {
  /** Slot + 1, 0 where there is none; at most half full. */
  #table = new Int32Array(16);
  #used = 0;
  /** By slot. */
  #keys = new Uint8Array(0);
  #lengths = new Uint8Array(0);
  #hashes = new Int32Array(0);

  add(id: string, slot: number): void {
    const bytes = encoder.encode(id);
    if (bytes.length > keyBytesMax) return;
    this.#reserve(slot);
    this.#keys.set(bytes, slot * keyBytesMax);
    this.#lengths[slot] = bytes.length;
    this.#hashes[slot] = hashBytes(bytes, 0, bytes.length);
    this.#used += 1;
    if (this.#used * 2 > this.#table.length) this.#double();
    else this.#place(slot);
  }

  /** The slot of an id; -1 where it has none, or is found by its text only. */
  find(ids: IdBytes, index: number): number {
    const hash = ids.hashes[index] as number;
    const start = ids.starts[index] as number;
    const length = (ids.ends[index] as number) - start;
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (this.#table[at] as number) - 1;
      if (slot < 0) return -1;
      if (this.#hashes[slot] === hash && this.#lengths[slot] === length && this.#is(slot, ids.bytes, start)) {
        return slot;
      }
    }
  }

  delete(slot: number): void {
    const mask = this.#table.length - 1;
    if ((this.#lengths[slot] ?? 0) === 0) return;
    let hole = (this.#hashes[slot] as number) & mask;
    while (this.#table[hole] !== slot + 1) hole = (hole + 1) & mask;
    // Whatever was placed past the hole because of it moves back, or it would not be found any more.
    for (let at = (hole + 1) & mask; this.#table[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#hashes[(this.#table[at] as number) - 1] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#table[hole] = this.#table[at] as number;
      hole = at;
    }
    this.#table[hole] = 0;
    this.#lengths[slot] = 0;
    this.#used -= 1;
  }

  #is(slot: number, bytes: Uint8Array, start: number): boolean {
    const from = slot * keyBytesMax;
    const length = this.#lengths[slot] as number;
    for (let at = 0; at < length; at++) if (this.#keys[from + at] !== bytes[start + at]) return false;
    return true;
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1;
    let at = (this.#hashes[slot] as number) & mask;
    while (this.#table[at] !== 0) at = (at + 1) & mask;
    this.#table[at] = slot + 1;
  }

  #double(): void {
    this.#table = new Int32Array(this.#table.length * 2);
    for (let slot = 0; slot < this.#lengths.length; slot++) if (this.#lengths[slot] !== 0) this.#place(slot);
  }

  #reserve(slot: number): void {
    const slots = this.#lengths.length;
    if (slot < slots) return;
    const more = Math.max(1_024, slots * 2, slot + 1);
    const [keys, lengths, hashes] = [this.#keys, this.#lengths, this.#hashes];
    this.#keys = new Uint8Array(more * keyBytesMax);
    this.#lengths = new Uint8Array(more);
    this.#hashes = new Int32Array(more);
    this.#keys.set(keys);
    this.#lengths.set(lengths);
    this.#hashes.set(hashes);
  }
}
