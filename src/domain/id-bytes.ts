/**
 * Ids as the UTF-8 in which they arrived. A request names hundreds of candidates and shows twenty: no text is made of
 * the others. Of 200 ids, parsing text and looking it up took 60 to 85 us of the answering thread, this takes 10 to 15
 * (Node 24, one run under load).
 */
export class IdBytes {
  readonly bytes: Uint8Array;
  /**
   * By place: where an id begins and ends in `bytes`, and its `hashBytes`. Arrays of small numbers: the memory of typed
   * ones lies outside of the heap, and every allocation there is one more for the collector to follow.
   */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly hashes: number[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.starts.length;
  }

  /** Takes the bytes from `start` to before `end` as the next id. */
  add(start: number, end: number): void {
    this.starts.push(start);
    this.ends.push(end);
    this.hashes.push(hashBytes(this.bytes, start, end));
  }

  /** The first `count` of them, over the same bytes. */
  first(count: number): IdBytes {
    const some = new IdBytes(this.bytes);
    some.starts.push(...this.starts.slice(0, count));
    some.ends.push(...this.ends.slice(0, count));
    some.hashes.push(...this.hashes.slice(0, count));
    return some;
  }

  text(index: number): string {
    return textOf(this.bytes, this.starts[index] as number, this.ends[index] as number);
  }

  /** The first id that equals an earlier one, and that one; undefined where all differ. */
  firstDuplicate(): { readonly index: number; readonly first: number } | undefined {
    const { length, hashes } = this;
    // At most half full.
    const mask = 2 ** Math.ceil(Math.log2(Math.max(2, length * 2))) - 1;
    if (mask >= places.length) places = new Int32Array(mask + 1);
    places.fill(0, 0, mask + 1);
    for (let index = 0; index < length; index++) {
      let at = (hashes[index] as number) & mask;
      for (let place = places[at] as number; place !== 0; place = places[at] as number) {
        if (this.#equal(place - 1, index)) return { index, first: place - 1 };
        at = (at + 1) & mask;
      }
      places[at] = index + 1;
    }
    return undefined;
  }

  #equal(one: number, other: number): boolean {
    const { bytes, starts, ends, hashes } = this;
    if (hashes[one] !== hashes[other]) return false;
    let from = starts[one] as number;
    let at = starts[other] as number;
    const end = ends[one] as number;
    if (end - from !== (ends[other] as number) - at) return false;
    while (from < end) if (bytes[from++] !== bytes[at++]) return false;
    return true;
  }
}

/** The one table that `firstDuplicate` uses: places + 1. */
let places = new Int32Array(4_096);

/** FNV-1a of 32 bits, mixed once more, since tables use the lowest bits. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Short ASCII, as nearly all ids are: a decoder costs several times as much. */
function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}

/** A byte order mark within an id is part of it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
