import { LRUCache } from "lru-cache";
import type { PlannedInput } from "./encoder-plan.ts";
import type { Tensor } from "./value-encoding.ts";

/** Rows for which memory is taken at first; it doubles from there up to the most that may be kept. */
const rowsAtFirst = 1_024;

/**
 * Encoded rows of one entity of one model, least recently used first out. All rows of a tensor stand in one slab, so
 * that a kept row costs its bytes and no object, and using one costs a look-up and a copy of a few dozen numbers.
 */
export class RowCache {
  readonly #inputs: readonly PlannedInput[];
  readonly #slotOf: LRUCache<string, number>;
  readonly #freeSlots: number[] = [];
  #slabs: readonly Tensor[];
  #defaulted: (readonly number[])[] = [];
  #slotsTaken = 0;
  #slotsMax: number;

  constructor(inputs: readonly PlannedInput[], rowsMax: number) {
    this.#inputs = inputs;
    this.#slotsMax = Math.min(rowsAtFirst, rowsMax + 1);
    this.#slabs = inputs.map((input) => slab(input, this.#slotsMax));
    this.#slotOf = new LRUCache({ max: rowsMax, dispose: (slot) => this.#freeSlots.push(slot) });
  }

  /**
   * Copies a kept row into row `row` of `tensors`. Returns the places of the features that are defaults in it, or
   * undefined where nothing is kept for `id`.
   */
  copyTo(tensors: readonly (Tensor | undefined)[], row: number, id: string): readonly number[] | undefined {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return undefined;
    for (let index = 0; index < this.#inputs.length; index++) {
      const { place, columns } = this.#inputs[index] as PlannedInput;
      copyColumns(
        this.#slabs[index] as Tensor,
        slot * columns,
        tensors[place] as Tensor,
        row * columns,
        columns,
      );
    }
    return this.#defaulted[slot];
  }

  /** Keeps row `row` of `tensors` for `id`. */
  keep(
    tensors: readonly (Tensor | undefined)[],
    row: number,
    id: string,
    defaulted: readonly number[],
  ): void {
    // A row that was kept for `id` before gives its slot back, as one that is pushed out does.
    const slot = this.#takeSlot();
    for (let index = 0; index < this.#inputs.length; index++) {
      const { place, columns } = this.#inputs[index] as PlannedInput;
      copyColumns(
        tensors[place] as Tensor,
        row * columns,
        this.#slabs[index] as Tensor,
        slot * columns,
        columns,
      );
    }
    this.#defaulted[slot] = defaulted;
    this.#slotOf.set(id, slot);
  }

  #takeSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    if (this.#slotsTaken === this.#slotsMax) {
      // One more than may be kept: a row is put in before the oldest goes out.
      this.#slotsMax = Math.min(this.#slotsMax * 2, this.#slotOf.max + 1);
      this.#slabs = this.#inputs.map((input, index) => {
        const larger = slab(input, this.#slotsMax);
        larger.set(this.#slabs[index] as Tensor);
        return larger;
      });
    }
    this.#slotsTaken += 1;
    return this.#slotsTaken - 1;
  }
}

function slab({ columns, dtype }: PlannedInput, rows: number): Tensor {
  return dtype === "float32" ? new Float32Array(rows * columns) : new Int32Array(rows * columns);
}

/** A loop: for rows of a few dozen numbers a view and `set` cost more than the copy. */
function copyColumns(from: Tensor, fromAt: number, to: Tensor, toAt: number, columns: number): void {
  for (let column = 0; column < columns; column++) to[toAt + column] = from[fromAt + column] as number;
}
