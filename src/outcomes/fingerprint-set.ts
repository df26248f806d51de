/**
 * A set of 96-bit fingerprints in typed arrays: 12 bytes an entry, 16 to 34 with the room to grow, and nothing for the
 * garbage collector to walk. Linear probing; split into shards so that growing moves a thousandth at a time and never
 * stalls the thread that answers.
 */
import { fingerprint } from "./fingerprint.ts";

const shardCount = 1_024;
const shardBits = 10;
const slotsAtFirst = 16;
const wordsPerSlot = 3;

/** Above it, probing gets long. */
const loadMax = 0.75;

/** One fingerprint; the all-zero one means an empty slot and is never made. */
export type Fingerprint = Uint32Array;

export class FingerprintSet {
  readonly #shards: (Shard | undefined)[] = new Array(shardCount);
  size = 0;

  has(id: Fingerprint): boolean {
    const shard = this.#shards[shardOf(id)];
    return shard !== undefined && shard.slots[find(shard, id)] !== 0;
  }

  /** False where it was there already. */
  add(id: Fingerprint): boolean {
    const place = shardOf(id);
    let shard = this.#shards[place];
    if (shard === undefined) {
      shard = { slots: new Uint32Array(slotsAtFirst * wordsPerSlot), mask: slotsAtFirst - 1, size: 0 };
      this.#shards[place] = shard;
    }
    if (!insert(shard, id)) return false;
    this.size++;
    if (shard.size > loadMax * (shard.mask + 1)) this.#shards[place] = grown(shard);
    return true;
  }
}

/** The fingerprint of an id's bytes, into `to`. Its first word is never 0, so that 0 can mean an empty slot. */
export function fingerprintOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  to: Fingerprint,
): void {
  fingerprint(bytes, start, end, seed, to);
  if (to[0] === 0) to[0] = 1;
}

/** `slots` holds `mask + 1` fingerprints of three words; a slot whose first word is 0 is empty. */
interface Shard {
  readonly slots: Uint32Array;
  readonly mask: number;
  size: number;
}

function shardOf(id: Fingerprint): number {
  return (id[0] as number) >>> (32 - shardBits);
}

/** Where `id` stands, or the empty slot where it would. */
function find({ slots, mask }: Shard, id: Fingerprint): number {
  const [first, second, third] = id as unknown as [number, number, number];
  let at = (second & mask) * wordsPerSlot;
  while (slots[at] !== 0 && (slots[at] !== first || slots[at + 1] !== second || slots[at + 2] !== third)) {
    at = at + wordsPerSlot === slots.length ? 0 : at + wordsPerSlot;
  }
  return at;
}

function insert(shard: Shard, id: Fingerprint): boolean {
  const at = find(shard, id);
  if (shard.slots[at] !== 0) return false;
  shard.slots.set(id, at);
  shard.size++;
  return true;
}

function grown(shard: Shard): Shard {
  const slots = new Uint32Array(2 * shard.slots.length);
  const larger: Shard = { slots, mask: 2 * shard.mask + 1, size: 0 };
  for (let at = 0; at < shard.slots.length; at += wordsPerSlot) {
    if (shard.slots[at] !== 0) insert(larger, shard.slots.subarray(at, at + wordsPerSlot));
  }
  return larger;
}
