import { LRUCache } from "lru-cache";
import type { ItemTable, Tensor } from "../domain/ports.ts";
import type { PlannedInput } from "./encoder-plan.ts";

/** Rows for which memory is taken at first; it doubles from there. */
const slotsAtFirst = 1_024;

/**
 * Encoded rows of one entity of one model, the least recently used forgotten first. All rows of a tensor stand in one
 * slab, so that a kept row costs its bytes and no object, and a request names it by its slot instead of copying it.
 * A slot is *pinned* by every request that names it, and gets another row only when none does.
 */
export class RowTable implements ItemTable {
  tensors: readonly (Tensor | undefined)[];
  versions = new Uint32Array(slotsAtFirst);
  readonly #inputs: readonly PlannedInput[];
  readonly #slotOf: LRUCache<string, number> | undefined;
  readonly #freeSlots: number[] = [];
  #pins = new Uint32Array(slotsAtFirst);
  /** 1 where the slot is an id's; a slot that is neither an id's nor pinned is free. */
  #kept = new Uint8Array(slotsAtFirst);
  #defaulted: (readonly number[])[] = [];
  #slotsTaken = 0;

  /**
   * @param inputs tensors by their place among the model's inputs.
   * @param rowsMax rows that are kept for later requests; pinned ones come on top.
   */
  constructor(inputs: readonly PlannedInput[], rowsMax: number) {
    this.#inputs = inputs;
    this.tensors = slabs(inputs, slotsAtFirst);
    if (rowsMax > 0) {
      this.#slotOf = new LRUCache({
        max: rowsMax,
        dispose: (slot) => {
          this.#kept[slot] = 0;
          if (this.#pins[slot] === 0) this.#freeSlots.push(slot);
        },
      });
    }
  }

  /** The slot of an id's row, pinned; -1 where none is kept. */
  find(id: string): number {
    const slot = this.#slotOf?.get(id);
    if (slot === undefined) return -1;
    this.#pins[slot] = (this.#pins[slot] as number) + 1;
    return slot;
  }

  /** A slot to write a row into, pinned. Ask for `tensors` after it. */
  take(): number {
    let slot = this.#freeSlots.pop();
    if (slot === undefined) {
      if (this.#slotsTaken === this.versions.length) this.#grow();
      slot = this.#slotsTaken++;
    }
    this.versions[slot] = (this.versions[slot] as number) + 1 || 1;
    this.#pins[slot] = 1;
    return slot;
  }

  /** A slot of its own for a row that begins as that of `from`, pinned. */
  copy(from: number): number {
    const slot = this.take();
    for (const { place, columns } of this.#inputs) {
      const tensor = this.tensors[place] as Tensor;
      tensor.copyWithin(slot * columns, from * columns, (from + 1) * columns);
    }
    this.#defaulted[slot] = this.#defaulted[from] as readonly number[];
    return slot;
  }

  /** Says which features are defaults in the row that was written into a slot. */
  note(slot: number, defaulted: readonly number[]): void {
    this.#defaulted[slot] = defaulted;
  }

  /** Places of the features that are defaults in a slot's row. */
  defaultedIn(slot: number): readonly number[] {
    return this.#defaulted[slot] as readonly number[];
  }

  /** Keeps a slot's row for later requests that name `id`. */
  keep(id: string, slot: number): void {
    if (this.#slotOf === undefined) return;
    this.#kept[slot] = 1;
    this.#slotOf.set(id, slot);
  }

  release(slots: Int32Array): void {
    for (let index = 0; index < slots.length; index++) {
      const slot = slots[index] as number;
      const pins = (this.#pins[slot] as number) - 1;
      this.#pins[slot] = pins;
      if (pins === 0 && this.#kept[slot] === 0) this.#freeSlots.push(slot);
    }
  }

  #grow(): void {
    const slots = this.versions.length * 2;
    const larger = slabs(this.#inputs, slots);
    for (const [place, tensor] of larger.entries()) tensor?.set(this.tensors[place] as Tensor);
    this.tensors = larger;
    this.versions = grown(this.versions, new Uint32Array(slots));
    this.#pins = grown(this.#pins, new Uint32Array(slots));
    this.#kept = grown(this.#kept, new Uint8Array(slots));
  }
}

function slabs(inputs: readonly PlannedInput[], slots: number): readonly (Tensor | undefined)[] {
  const tensors: (Tensor | undefined)[] = [];
  for (const { place, columns, dtype } of inputs) {
    tensors[place] =
      dtype === "float32" ? new Float32Array(slots * columns) : new Int32Array(slots * columns);
  }
  return tensors;
}

function grown<Numbers extends Uint8Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}
