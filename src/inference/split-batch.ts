import type { RaggedBatch } from "./ragged-batch.ts";

/** One run of a split model. */
export interface SplitBatch {
  /** Of `requestInputs`. */
  readonly batch: RaggedBatch;
  /** Of `itemInputs`; undefined where the slab has every row. */
  readonly items: RaggedBatch | undefined;
  /** Slots that there are. */
  readonly slots: number;
}

/** The memory that goes over to the worker with it. */
export function buffersOf({ batch, items }: SplitBatch): ArrayBuffer[] {
  return items === undefined ? [batch.buffer] : [batch.buffer, items.buffer];
}
