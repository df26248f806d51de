/**
 * Where the records of ids stand, in typed arrays: 12 bytes an entry, 15 to 23 with the room to grow, and nothing for the
 * garbage collector to walk. An id is told by 42 bits of its fingerprint (10 choose the shard, 32 are kept), so what
 * is found may be another id's: among 25 million entries that happens to one lookup in 170,000, and whoever looks
 * compares the ids themselves. Several entries may share a fingerprint. Linear probing; split into shards so that growing
 * moves a thousandth at a time and never stalls the thread that answers.
 */
import type { Fingerprint } from "./fingerprint-set.ts";

const shardCount = 1_024;
const shardBits = 10;
const slotsAtFirst = 8;
const wordsPerSlot = 3;
const bytesPerSlot = 4 * wordsPerSlot;

/** Above it, probing gets long. */
const loadMax = 0.8;

/** Where a full shard is this full of what is still to be kept, it grows; else the rest is thrown out. */
const keptMax = 0.6;

/** The same where it may not grow. */
const keptMaxWithoutRoom = 0.72;

/** Less than doubling: a table is four fifths full before and half full after it. */
const growth = 1.5;

export interface IdTableOptions {
  /** Whether entries of this place are still to be kept: the others are thrown out when their shard is full. */
  readonly isKept: (place: number) => boolean;
  /** Whether the table may take so many bytes more. */
  readonly hasRoom: (bytes: number) => boolean;
  /** Has the oldest places kept no more. False where all that is left has to be. */
  readonly forget: () => boolean;
}

export class IdTable {
  readonly #options: IdTableOptions;
  readonly #shards: (Shard | undefined)[] = new Array(shardCount);
  bytes = 0;

  constructor(options: IdTableOptions) {
    this.#options = options;
  }

  /** Shows where records stand whose id may be the one of this fingerprint, kept or not; nearly always none. */
  each(id: Fingerprint, visit: (place: number, offset: number) => void): void {
    const shard = this.#shards[shardOf(id)];
    if (shard === undefined) return;
    const { slots } = shard;
    const kept = id[1] as number;
    for (let at = home(shard, kept); slots[at + 1] !== 0; at = after(shard, at)) {
      if (slots[at] === kept) visit(slots[at + 1] as number, slots[at + 2] as number);
    }
  }

  /** @param place above 0. */
  add(id: Fingerprint, place: number, offset: number): void {
    const number = shardOf(id);
    let shard = this.#shards[number];
    if (shard === undefined) {
      shard = emptyShard(slotsAtFirst);
      this.#shards[number] = shard;
      this.bytes += slotsAtFirst * bytesPerSlot;
    }
    insert(shard, id[1] as number, place, offset);
    if (shard.size > loadMax * shard.slotCount) this.#shards[number] = this.#rebuilt(shard);
  }

  /** False where this very entry is not there. */
  delete(id: Fingerprint, place: number, offset: number): boolean {
    const shard = this.#shards[shardOf(id)];
    if (shard === undefined) return false;
    const { slots } = shard;
    const kept = id[1] as number;
    for (let at = home(shard, kept); slots[at + 1] !== 0; at = after(shard, at)) {
      if (slots[at] !== kept || slots[at + 1] !== place || slots[at + 2] !== offset) continue;
      shard.size--;
      close(shard, at);
      return true;
    }
    return false;
  }

  #rebuilt(shard: Shard): Shard {
    const { isKept, hasRoom, forget } = this.#options;
    const { slotCount } = shard;
    const larger = Math.ceil(slotCount * growth);
    let kept = countOf(shard, isKept);
    const grows = kept > keptMax * slotCount && hasRoom((larger - slotCount) * bytesPerSlot);
    while (!grows && kept > keptMaxWithoutRoom * slotCount && forget()) kept = countOf(shard, isKept);
    const next = emptyShard(grows || kept > keptMaxWithoutRoom * slotCount ? larger : slotCount);
    this.bytes += (next.slotCount - slotCount) * bytesPerSlot;
    const { slots } = shard;
    for (let at = 0; at < slots.length; at += wordsPerSlot) {
      const place = slots[at + 1] as number;
      if (place !== 0 && isKept(place)) insert(next, slots[at] as number, place, slots[at + 2] as number);
    }
    return next;
  }
}

/** A slot holds 32 bits of the fingerprint, the number of the place, and the offset; 0 in the middle: empty. */
interface Shard {
  readonly slots: Uint32Array;
  readonly slotCount: number;
  size: number;
}

function emptyShard(slotCount: number): Shard {
  return { slots: new Uint32Array(slotCount * wordsPerSlot), slotCount, size: 0 };
}

function shardOf(id: Fingerprint): number {
  return (id[0] as number) >>> (32 - shardBits);
}

/** The word at which the search for a fingerprint begins: any number of slots does, not only a power of two. */
function home({ slotCount }: Shard, kept: number): number {
  return Math.floor((kept * slotCount) / 0x1_0000_0000) * wordsPerSlot;
}

function after({ slots }: Shard, at: number): number {
  return at + wordsPerSlot === slots.length ? 0 : at + wordsPerSlot;
}

function countOf({ slots }: Shard, isKept: (place: number) => boolean): number {
  let count = 0;
  for (let at = 1; at < slots.length; at += wordsPerSlot) {
    if (slots[at] !== 0 && isKept(slots[at] as number)) count++;
  }
  return count;
}

function insert(shard: Shard, kept: number, place: number, offset: number): void {
  const { slots } = shard;
  let at = home(shard, kept);
  while (slots[at + 1] !== 0) at = after(shard, at);
  slots[at] = kept;
  slots[at + 1] = place;
  slots[at + 2] = offset;
  shard.size++;
}

/** Empties a slot and moves back what had to go past it (Knuth, TAOCP vol. 3, 6.4, algorithm R). */
function close(shard: Shard, emptied: number): void {
  const { slots } = shard;
  const words = slots.length;
  let hole = emptied;
  for (let at = after(shard, hole); slots[at + 1] !== 0; at = after(shard, at)) {
    const fromHome = (at - home(shard, slots[at] as number) + words) % words;
    const fromHole = (at - hole + words) % words;
    if (fromHome < fromHole) continue;
    slots.copyWithin(hole, at, at + wordsPerSlot);
    hole = at;
  }
  slots.fill(0, hole, hole + wordsPerSlot);
}
