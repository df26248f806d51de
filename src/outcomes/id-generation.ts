import type { Fingerprint } from "./fingerprint-set.ts";
import { IdTable } from "./id-table.ts";
import type { RecordWriter } from "./record-writer.ts";

const placesAtFirst = 64;

/** Where a record with a certain fingerprint stands: in a batch that is on its way to the disk, or in a segment. */
export type IdPlace =
  | { readonly batch: RecordWriter; readonly offset: number }
  | { readonly segment: number; readonly offset: number };

/**
 * The outcomes of one span of time. Outcomes that are written together share a place: their batch while that is on its
 * way, then its segment and offset, so that an outcome costs 12 bytes however it came.
 */
export class IdGeneration {
  /** By `receivedAt` of its first outcome, ms. */
  readonly startedAt: number;
  /** The latest `receivedAt` in it. */
  newestAt: number;
  readonly #table = new IdTable();
  #segments = new Uint32Array(placesAtFirst);
  #offsets = new Uint32Array(placesAtFirst);
  #places = 0;
  readonly #flying = new Map<number, RecordWriter>();

  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.newestAt = startedAt;
  }

  get bytes(): number {
    return this.#table.bytes + this.#segments.byteLength + this.#offsets.byteLength;
  }

  get size(): number {
    return this.#table.size;
  }

  /** A place for the outcomes that stand at `offset` of the segment. */
  placeIn(segment: number, offset: number): number {
    if (this.#places === this.#segments.length) {
      this.#segments = twice(this.#segments);
      this.#offsets = twice(this.#offsets);
    }
    this.#segments[this.#places] = segment;
    this.#offsets[this.#places] = offset;
    return this.#places++;
  }

  /** A place for outcomes that are in memory. */
  placeOf(batch: RecordWriter): number {
    const place = this.placeIn(0, 0);
    this.#flying.set(place, batch);
    return place;
  }

  /** They are in the file. */
  written(place: number, segment: number, offset: number): void {
    this.#segments[place] = segment;
    this.#offsets[place] = offset;
  }

  /** The batch is durable, or refused: it is not looked at from here on. */
  landed(place: number): void {
    this.#flying.delete(place);
  }

  add(id: Fingerprint, place: number, offset: number): void {
    this.#table.add(id, place, offset);
  }

  delete(id: Fingerprint, place: number, offset: number): void {
    this.#table.delete(id, place, offset);
  }

  each(id: Fingerprint, visit: (place: IdPlace) => void): void {
    this.#table.each(id, (place, offset) => {
      const batch = this.#flying.get(place);
      if (batch !== undefined) visit({ batch, offset });
      else
        visit({
          segment: this.#segments[place] as number,
          offset: (this.#offsets[place] as number) + offset,
        });
    });
  }
}

function twice(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
