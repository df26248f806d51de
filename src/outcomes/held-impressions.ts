import { Batch } from "./batch.ts";

/** What is written in one go once the disk takes writes again. */
const batchBytesMax = 1024 * 1024;

/** Impressions that wait in memory while the disk refuses, in their order, and no more of them than a bound. */
export class HeldImpressions {
  readonly #bytesMax: number;
  readonly #batches: Batch[] = [];
  /** The first batch is being written: nothing more goes into it. */
  #closed: Batch | undefined;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#batches.reduce((count, batch) => count + batch.requestIds.length / 3, 0);
  }

  /** What takes impressions of so many bytes, at once; undefined where no more may wait. */
  room(bytes: number): Batch | undefined {
    if (this.#bytes + bytes > this.#bytesMax) return undefined;
    this.#bytes += bytes;
    const last = this.#batches.at(-1);
    if (last !== undefined && last !== this.#closed && last.bytes < batchBytesMax) return last;
    const next = new Batch();
    this.#batches.push(next);
    return next;
  }

  /** Takes the impressions of a batch that was not written. False where there is no room for them. */
  take(batch: Batch, where: "first" | "last"): boolean {
    const { used } = batch.impressions;
    if (used === 0) return true;
    if (this.#bytes + used > this.#bytesMax) return false;
    const held = new Batch();
    held.impressions.copy(batch.impressions.buffer, 0, used);
    for (const word of batch.requestIds) held.requestIds.push(word);
    if (where === "first") this.#batches.unshift(held);
    else this.#batches.push(held);
    this.#bytes += used;
    return true;
  }

  /** The first batch, to be written; it stays until `written`. */
  begin(): Batch | undefined {
    this.#closed = this.#batches[0];
    return this.#closed;
  }

  /** The first batch is in the log. */
  written(): void {
    const first = this.#batches.shift();
    this.#closed = undefined;
    if (first !== undefined) this.#bytes -= first.bytes;
  }
}
