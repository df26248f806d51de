import type { Batch } from "./batch.ts";
import type { Fingerprint } from "./fingerprint-set.ts";
import { IdGeneration, type IdPlace } from "./id-generation.ts";

/**
 * The window is cut into so many spans, each a generation, and dropped by these: so it is up to an eighth longer than
 * configured, and a lookup asks nine tables.
 */
const spansOfWindow = 8;

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
 * Which outcomes the log holds, of a window of time: a fingerprint and a place of each, in generations. A generation
 * that is older than the window is dropped whole. The clock may go back: a generation then only lasts longer.
 */
export class KnownOutcomes {
  readonly #options: KnownOutcomesOptions;
  /** Oldest first; the last one takes what comes. */
  readonly #generations: IdGeneration[] = [];
  /** What was received up to then was forgotten early. */
  #forgottenUpTo = Number.NEGATIVE_INFINITY;
  #recovering = true;

  constructor(options: KnownOutcomesOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#generations.reduce((bytes, generation) => bytes + generation.bytes, 0);
  }

  /** How far back ids are really known, ms: less than configured where memory did not do. */
  get windowMs(): number {
    const { windowMs, now } = this.#options;
    return Math.max(0, Math.min(windowMs, now() - this.#forgottenUpTo));
  }

  each(id: Fingerprint, visit: (place: IdPlace) => void): void {
    for (const generation of this.#generations) generation.each(id, visit);
  }

  /** The outcome at `offset` of the batch's outcomes, received at `receivedAt`, is on its way. */
  add(id: Fingerprint, batch: Batch, offset: number, receivedAt: number): void {
    if (batch.generation === undefined) {
      batch.generation = this.#current(receivedAt);
      batch.place = batch.generation.placeOf(batch.outcomes);
    }
    const { generation } = batch;
    generation.add(id, batch.place, offset);
    if (receivedAt > generation.newestAt) generation.newestAt = receivedAt;
    batch.outcomeIds.push(id[0] as number, id[1] as number, offset);
  }

  /** Takes back what was added last, down to so many numbers of `batch.outcomeIds`. */
  takeBack(batch: Batch, outcomeIds: number): void {
    const id = new Uint32Array(3);
    for (let at = outcomeIds; at < batch.outcomeIds.length; at += 3) {
      id[0] = batch.outcomeIds[at] as number;
      id[1] = batch.outcomeIds[at + 1] as number;
      batch.generation?.delete(id, batch.place, batch.outcomeIds[at + 2] as number);
    }
    batch.outcomeIds.length = outcomeIds;
  }

  /** The batch did not reach the disk: sent again, its outcomes are new. */
  refused(batch: Batch): void {
    this.takeBack(batch, 0);
    batch.generation?.landed(batch.place);
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
      current.add(id, place, offset);
      if (receivedAt > current.newestAt) current.newestAt = receivedAt;
    };
  }

  /** The log is recovered: what is forgotten early from here on, a warning says each time. */
  recovered(): void {
    this.#recovering = false;
    if (this.#forgottenUpTo > this.#options.now() - this.#options.windowMs) this.#warn();
  }

  #current(receivedAt: number): IdGeneration {
    const { windowMs, memoryBytesMax, now } = this.#options;
    const last = this.#generations.at(-1);
    const isFull =
      last === undefined ||
      Math.abs(receivedAt - last.startedAt) >= windowMs / spansOfWindow ||
      last.bytes >= memoryBytesMax / spansOfWindow;
    if (last !== undefined && !isFull) return last;
    const next = new IdGeneration(receivedAt);
    this.#generations.push(next);
    while ((this.#generations[0] as IdGeneration).newestAt < now() - windowMs && this.#generations.length > 1)
      this.#generations.shift();
    // The one that begins may grow to its share.
    while (this.bytes > memoryBytesMax * (1 - 1 / spansOfWindow) && this.#generations.length > 1)
      this.#forget();
    return next;
  }

  #forget(): void {
    const oldest = this.#generations.shift();
    if (oldest === undefined) return;
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, oldest.newestAt);
    if (!this.#recovering) this.#warn();
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
