import type { RaggedBatch } from "./ragged-batch.ts";

/** One run of a split model. */
export interface SplitBatch {
  /** Of `requestInputs`. */
  readonly batch: RaggedBatch;
  /** Of `itemInputs`; undefined where the slab has every row. */
  readonly items: RaggedBatch | undefined;
  /** Slots that there are. */
  readonly slots: number;
  /** Runs of one epoch rely on what the runs before them put into the slab; one that failed ends its epoch. */
  readonly epoch: number;
}

/** The memory that goes over to the worker with it. */
export function buffersOf({ batch, items }: SplitBatch): ArrayBuffer[] {
  return items === undefined ? [batch.buffer] : [batch.buffer, items.buffer];
}
