import type { EncodedRequest, ItemTable, Tensor } from "../domain/feature-store.ts";
import type { ModelInput } from "../domain/model.ts";
import {
  allocateBatch,
  candidatesOf,
  fillRows,
  gatherRows,
  joinRows,
  type RaggedBatch,
  tensorsOf,
} from "./ragged-batch.ts";
import { itemInputs, requestInputs } from "./split.ts";
import type { SplitBatch } from "./split-batch.ts";

/**
 * What one worker's slab holds of one item table: the version of the row in each slot. A worker obeys one order after
 * the other, so that what was sent to it once is there for every later run.
 */
export class FilledSlots {
  readonly #ofRequests: readonly PlacedInput[];
  readonly #ofItems: readonly PlacedInput[];
  #table: ItemTable | undefined;
  #versions = new Uint32Array(0);
  #epoch = 0;

  constructor(inputs: readonly ModelInput[]) {
    this.#ofRequests = placed(requestInputs(inputs), inputs);
    this.#ofItems = placed(itemInputs(inputs), inputs);
  }

  /** Forgets everything: the worker may have failed to write what it was sent. */
  clear(): void {
    this.#versions.fill(0);
    this.#epoch += 1;
  }

  /** Joins requests of one table into one run, with the inputs of every item whose row the slab lacks. */
  join(requests: readonly EncodedRequest[]): SplitBatch {
    const { table } = requests[0] as EncodedRequest;
    this.#follow(table);
    const missing = this.#takeMissing(requests);
    return {
      batch: joinRequestInputs(this.#ofRequests, requests),
      items: missing.length === 0 ? undefined : joinItemInputs(this.#ofItems, table, missing),
      slots: table.versions.length,
      epoch: this.#epoch,
    };
  }

  #follow(table: ItemTable): void {
    if (this.#table === table && this.#versions.length === table.versions.length) return;
    const versions = new Uint32Array(table.versions.length);
    if (this.#table === table) versions.set(this.#versions);
    this.#table = table;
    this.#versions = versions;
  }

  #takeMissing(requests: readonly EncodedRequest[]): number[] {
    const missing: number[] = [];
    for (const { slots, table } of requests) {
      const { versions } = table;
      for (let index = 0; index < slots.length; index++) {
        const slot = slots[index] as number;
        if (this.#versions[slot] === versions[slot]) continue;
        this.#versions[slot] = versions[slot] as number;
        missing.push(slot);
      }
    }
    return missing;
  }
}

/** An input of one of the graphs, and its place among the model's own; -1 for those that only the split has. */
interface PlacedInput {
  readonly input: ModelInput;
  readonly place: number;
}

function placed(inputs: readonly ModelInput[], all: readonly ModelInput[]): readonly PlacedInput[] {
  return inputs.map((input) => ({ input, place: all.indexOf(input) }));
}

function joinRequestInputs(joined: readonly PlacedInput[], requests: readonly EncodedRequest[]): RaggedBatch {
  const inputs = joined.map(({ input }) => input);
  const batch = allocateBatch(inputs, requests.length, candidatesOf(requests));
  for (const [index, target] of tensorsOf(inputs, batch).entries()) {
    const { input, place } = joined[index] as PlacedInput;
    if (input.entity !== "row") joinRows(target, place, requests);
    else if (place < 0) joinSlots(target, requests);
    else fillRows(target, requests);
  }
  return batch;
}

function joinSlots(target: Tensor, requests: readonly EncodedRequest[]): void {
  let offset = 0;
  for (const { slots } of requests) {
    target.set(slots, offset);
    offset += slots.length;
  }
}

function joinItemInputs(
  joined: readonly PlacedInput[],
  table: ItemTable,
  slots: readonly number[],
): RaggedBatch {
  const inputs = joined.map(({ input }) => input);
  const batch = allocateBatch(inputs, 0, slots.length);
  for (const [index, target] of tensorsOf(inputs, batch).entries()) {
    const { input, place } = joined[index] as PlacedInput;
    if (place < 0) target.set(slots);
    else gatherRows(target, 0, table.tensors[place] as Tensor, input.columns ?? 1, slots);
  }
  return batch;
}
