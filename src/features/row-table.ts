import { LRUCache } from "lru-cache";
import type { ItemTable, Tensor } from "../domain/feature-store.ts";
import type { IdBytes } from "../domain/id-bytes.ts";
import { ByteIndex } from "./byte-index.ts";
import type { PlannedInput } from "./encoder-plan.ts";

/** Rows for which memory is taken at first; it doubles from there. */
const slotsAtFirst = 1_024;

/** Every so many requests that bring their ids as bytes, one says which rows it used. */
const requestsPerUse = 32;

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
  /** Those ids' slots once more, by their bytes. */
  readonly #byBytes = new ByteIndex();
  /** By slot; of those that are an id's. */
  readonly #ids: string[] = [];
  readonly #freeSlots: number[] = [];
  #pins = new Uint32Array(slotsAtFirst);
  /** 1 where the slot is an id's; a slot that is neither an id's nor pinned is free. */
  #kept = new Uint8Array(slotsAtFirst);
  readonly #defaulted: (readonly number[])[] = [];
  /** 1 where a row has a default: most have none, and the lists are then not looked at. */
  #hasDefaults = new Uint8Array(slotsAtFirst);
  #slotsTaken = 0;
  #requests = 0;

  /**
   * @param inputs tensors by their place among the model's inputs.
   * @param rowsMax rows that are kept for later requests; pinned ones come on top.
   */
  constructor(inputs: readonly PlannedInput[], rowsMax: number) {
    this.#inputs = inputs;
    this.tensors = slabs(inputs, slotsAtFirst);
    if (rowsMax > 0) {
      this.#slotOf = new LRUCache({
        // Not `max`, which takes all its memory at once: 11 ms of this thread for 100,000 rows, with every new version.
        maxSize: rowsMax,
        sizeCalculation: () => 1,
        dispose: (slot) => {
          this.#kept[slot] = 0;
          this.#byBytes.delete(slot);
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

  /**
   * Fills `slots` as `find` would. Which rows were used is noted of one such call in 32: what is pushed out is then
   * still among the least recently used, and the cache itself is left alone in the others: noting 200 rows takes 130 us
   * where its lists are not in the processor's cache.
   */
  findAll(ids: IdBytes, slots: Int32Array): void {
    const cache = this.#slotOf;
    const uses = this.#requests++ % requestsPerUse === 0;
    for (let index = 0; index < slots.length; index++) {
      let slot = this.#byBytes.find(ids, index);
      if (slot < 0) {
        slot = this.find(ids.text(index));
      } else {
        this.#pins[slot] = (this.#pins[slot] as number) + 1;
        if (uses) cache?.get(this.#ids[slot] as string);
      }
      slots[index] = slot;
    }
  }

  /** A slot to write a row into, pinned. Ask for `tensors` after it. */
  take(): number {
    let slot = this.#freeSlots.pop();
    if (slot === undefined) {
      if (this.#slotsTaken === this.versions.length) this.#grow();
      slot = this.#slotsTaken++;
    }
    // Past the last uint32 comes 1: 0 is what a worker has noted of a slot that it was never sent.
    this.versions[slot] = ((this.versions[slot] as number) + 1) >>> 0 || 1;
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
    return slot;
  }

  /** Says which features are defaults in the row that was written into a slot. */
  note(slot: number, defaulted: readonly number[]): void {
    this.#defaulted[slot] = defaulted;
    this.#hasDefaults[slot] = defaulted.length > 0 ? 1 : 0;
  }

  /** Places of the features that are defaults in a slot's row. */
  defaultedIn(slot: number): readonly number[] {
    return this.#hasDefaults[slot] === 0 ? none : (this.#defaulted[slot] as readonly number[]);
  }

  /** Keeps a slot's row for later requests that name `id`. */
  keep(id: string, slot: number): void {
    if (this.#slotOf === undefined) return;
    this.#kept[slot] = 1;
    this.#ids[slot] = id;
    this.#slotOf.set(id, slot);
    this.#byBytes.add(id, slot);
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
    this.#hasDefaults = grown(this.#hasDefaults, new Uint8Array(slots));
  }
}

const none: readonly number[] = Object.freeze([]);

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
