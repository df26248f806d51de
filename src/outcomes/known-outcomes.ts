import type { Batch } from "./batch.ts";
import type { Fingerprint } from "./fingerprint-set.ts";
import { IdGeneration, type IdPlace } from "./id-generation.ts";
import { IdTable } from "./id-table.ts";

/** The window is cut into so many spans, each a generation, and dropped by these: so it is up to a quarter longer. */
const spansOfWindow = 8;

/** Of an outcome, with the room to grow. */
const bytesPerOutcome = 18;

export interface KnownOutcomesOptions {
  /** How long an outcome's id is known after it was received, ms. */
  readonly windowMs: number;
  /** What all of it may take in memory; beyond it, the oldest is forgotten early. */
  readonly memoryBytesMax: number;
  /** Ms since 1970. */
  readonly now: () => number;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Which outcomes the log holds, of a window of time: a fingerprint and a place of each in one table, the places in
 * generations. A generation that is older than the window is dropped whole; its entries leave the table little by little.
 * The clock may go back: a generation then only lasts longer.
 */
export class KnownOutcomes {
  readonly #options: KnownOutcomesOptions;
  readonly #table: IdTable;
  /** Oldest first; the last one takes what comes. */
  readonly #generations: IdGeneration[] = [];
  /** What was received up to then was forgotten early. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY;
  #recovering = true;

  constructor(options: KnownOutcomesOptions) {
    this.#options = options;
    this.#table = new IdTable({
      isKept: (place) => this.#generationOf(place) !== undefined,
      hasRoom: (bytes) => this.bytes + bytes <= options.memoryBytesMax,
      forget: () => this.#forget(),
    });
  }

  get bytes(): number {
    return this.#generations.reduce((bytes, generation) => bytes + generation.bytes, this.#table.bytes);
  }

  /** How far back ids are really known, ms: less than configured where memory did not do. */
  get windowMs(): number {
    const { windowMs, now } = this.#options;
    return Math.max(0, Math.min(windowMs, now() - this.#forgottenUpTo));
  }

  /** Shows the places of outcomes that may have the id of this fingerprint; nearly always none. */
  each(id: Fingerprint, visit: (place: IdPlace) => void): void {
    this.#table.each(id, (place, offset) => {
      const generation = this.#generationOf(place);
      if (generation !== undefined) visit(generation.at(place, offset));
    });
  }

  /** The outcome at `offset` of the batch's outcomes, received at `receivedAt`, is on its way. */
  add(id: Fingerprint, batch: Batch, offset: number, receivedAt: number): void {
    if (batch.generation === undefined) {
      batch.generation = this.#current(receivedAt);
      batch.place = batch.generation.placeOf(batch.outcomes);
    }
    this.#add(id, batch.generation, batch.place, offset, receivedAt);
    batch.outcomeIds.push(id[0] as number, id[1] as number, offset);
  }

  /** Takes back what was added last, down to so many numbers of `batch.outcomeIds`; without any, its place goes too. */
  takeBack(batch: Batch, outcomeIds: number): void {
    const id = new Uint32Array(3);
    for (let at = outcomeIds; at < batch.outcomeIds.length; at += 3) {
      id[0] = batch.outcomeIds[at] as number;
      id[1] = batch.outcomeIds[at + 1] as number;
      this.#table.delete(id, batch.place, batch.outcomeIds[at + 2] as number);
    }
    batch.outcomeIds.length = outcomeIds;
    if (outcomeIds > 0) return;
    batch.generation?.landed(batch.place);
    batch.generation = undefined;
  }

  /** The batch did not reach the disk: sent again, its outcomes are new. */
  refused(batch: Batch): void {
    this.takeBack(batch, 0);
  }

  /** While a log is recovered: a function that learns the outcomes of one segment, in their order. */
  learnerOf(segment: number): (id: Fingerprint, offset: number, receivedAt: number) => void {
    let generation: IdGeneration | undefined;
    let place = 0;
    const oldest = this.#options.now() - this.#options.windowMs;
    return (id, offset, receivedAt) => {
      if (receivedAt < oldest) return;
      const current = this.#current(receivedAt);
      if (current !== generation) {
        generation = current;
        place = current.placeIn(segment, 0);
      }
      this.#add(id, current, place, offset, receivedAt);
    };
  }

  /** The log is recovered: what is forgotten early from here on, a warning says each time. */
  recovered(): void {
    this.#recovering = false;
    if (this.#forgottenUpTo > this.#options.now() - this.#options.windowMs) this.#warn();
  }

  #add(id: Fingerprint, generation: IdGeneration, place: number, offset: number, receivedAt: number): void {
    this.#table.add(id, place, offset);
    generation.size++;
    if (receivedAt > generation.newestAt) generation.newestAt = receivedAt;
  }

  #generationOf(place: number): IdGeneration | undefined {
    for (let i = this.#generations.length - 1; i >= 0; i--) {
      const generation = this.#generations[i] as IdGeneration;
      if (generation.has(place)) return generation;
    }
    return undefined;
  }

  #current(receivedAt: number): IdGeneration {
    const { windowMs, memoryBytesMax, now } = this.#options;
    const last = this.#generations.at(-1);
    const isFull =
      last === undefined ||
      Math.abs(receivedAt - last.startedAt) >= windowMs / spansOfWindow ||
      last.size * bytesPerOutcome + last.bytes >= memoryBytesMax / spansOfWindow;
    if (last !== undefined && !isFull) return last;
    const next = new IdGeneration(receivedAt, last?.nextPlace ?? 1);
    this.#generations.push(next);
    while ((this.#generations[0] as IdGeneration).newestAt < now() - windowMs && this.#generations.length > 1)
      this.#generations.shift();
    while (this.bytes > memoryBytesMax && this.#forget());
    return next;
  }

  /** False where only what comes now is left. */
  #forget(): boolean {
    if (this.#generations.length < 2) return false;
    const oldest = this.#generations.shift() as IdGeneration;
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, oldest.newestAt);
    if (!this.#recovering) this.#warn();
    return true;
  }

  #warn(): void {
    const { memoryBytesMax, windowMs } = this.#options;
    this.#options.onWarning(
      `outcomes are known for ${Math.round(this.windowMs / 1_000)} s instead of log.dedupeWindow, ` +
        `${Math.round(windowMs / 1_000)} s: their ids take more than log.dedupeMemoryBytesMax, ${memoryBytesMax} bytes. ` +
        "One that is sent again later is taken again; the analysis counts it once",
      { windowSeconds: this.windowMs / 1_000 },
    );
  }
}
