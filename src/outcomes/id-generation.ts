import type { RecordWriter } from "./record-writer.ts";

const indexesAtFirst = 64;

/** Places are numbered from 1 on, and from 1 again after so many: far more than are remembered at a time. */
const placesMax = 2 ** 32 - 1;

/** Where a record with a certain fingerprint stands: in a batch that is on its way to the disk, or in a segment. */
export type IdPlace =
  | { readonly batch: RecordWriter; readonly offset: number }
  | { readonly segment: number; readonly offset: number };

/**
 * Where the outcomes of one span of time stand. Outcomes that are written together share a place: their batch while that
 * is on its way, then its segment and offset.
 */
export class IdGeneration {
  /** By `receivedAt` of its first outcome, ms. */
  readonly startedAt: number;
  /** The latest `receivedAt` in it. */
  newestAt: number;
  /** Outcomes in it, those that were taken back included. */
  size = 0;
  readonly #firstPlace: number;
  #segments = new Uint32Array(indexesAtFirst);
  #offsets = new Uint32Array(indexesAtFirst);
  #places = 0;
  readonly #flying = new Map<number, RecordWriter>();

  constructor(startedAt: number, firstPlace: number) {
    this.startedAt = startedAt;
    this.newestAt = startedAt;
    this.#firstPlace = firstPlace;
  }

  get bytes(): number {
    return this.#segments.byteLength + this.#offsets.byteLength;
  }

  get nextPlace(): number {
    return ((this.#firstPlace - 1 + this.#places) % placesMax) + 1;
  }

  has(place: number): boolean {
    return this.#indexOf(place) < this.#places;
  }

  /** A place for the outcomes that stand at `offset` of the segment. */
  placeIn(segment: number, offset: number): number {
    const place = this.nextPlace;
    if (this.#places === this.#segments.length) {
      this.#segments = twice(this.#segments);
      this.#offsets = twice(this.#offsets);
    }
    this.#segments[this.#places] = segment;
    this.#offsets[this.#places] = offset;
    this.#places++;
    return place;
  }

  /** A place for outcomes that are in memory. */
  placeOf(batch: RecordWriter): number {
    const place = this.placeIn(0, 0);
    this.#flying.set(place, batch);
    return place;
  }

  /** They are in the file. */
  written(place: number, segment: number, offset: number): void {
    const index = this.#indexOf(place);
    this.#segments[index] = segment;
    this.#offsets[index] = offset;
  }

  /** The batch is durable, or refused: it is not looked at from here on. */
  landed(place: number): void {
    this.#flying.delete(place);
  }

  /** Of the record at `offset` of the place, which it has. */
  at(place: number, offset: number): IdPlace {
    const batch = this.#flying.get(place);
    if (batch !== undefined) return { batch, offset };
    const index = this.#indexOf(place);
    return { segment: this.#segments[index] as number, offset: (this.#offsets[index] as number) + offset };
  }

  #indexOf(place: number): number {
    return (place - this.#firstPlace + placesMax) % placesMax;
  }
}

function twice(numbers: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
