import type { Model } from "./model.ts";
import type { RankRequest } from "./rank.ts";

export type Tensor = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** Encoded rows of items, as one model has them: a row stands in one slot of every tensor. */
export interface ItemTable {
  /**
   * In the order of `model.inputs`, undefined for what is no item input: `[slots, columns]`, row-major. They are replaced
   * as the table grows: ask anew in every task.
   */
  readonly tensors: readonly (Tensor | undefined)[];
  /** `[slots]`: never 0 for a row that was written, and another number whenever a slot gets another row. */
  readonly versions: Uint32Array;
}

/**
 * One request's tensors, in the order of `model.inputs`: user and context inputs, each one row, row-major. The item
 * inputs stay where they are kept, in `table`, at `slots`; the `row` input only the batch knows.
 */
export interface EncodedRequest {
  readonly candidateCount: number;
  readonly tensors: readonly (Tensor | undefined)[];
  readonly table: ItemTable;
  /** `[candidates]`: each candidate's slot; it holds this row until `release`. */
  readonly slots: Int32Array;
  /** Candidates, and the user, of which neither the request nor the store knew a feature that the model asks for. */
  readonly defaultedCount: number;
  /** True where the store could not be asked: everything not in the request is a default. */
  readonly storeUnavailable: boolean;
  /** Lets the slots be used again. To be called once, by whoever scores. */
  release(): void;
}

/** Turns a request into tensors: a feature comes from the request, else the store, else the model's default. */
export interface FeatureStore {
  /** @throws {SetlistError} INVALID_ARGUMENT where an inline feature does not fit the model, naming it. */
  encode(model: Model, request: RankRequest): Promise<EncodedRequest>;
  close(): Promise<void>;
}

/** What the store says of items by name, for the steps that compare items with one another; no model is needed. */
export interface ItemLabels {
  /**
   * One an id, in their order: the item's value of a feature as text, of a list the first; undefined where the store
   * knows none.
   * @throws {Error} where the store cannot be asked.
   */
  labels(feature: string, ids: readonly string[]): Promise<readonly (string | undefined)[]>;
}
