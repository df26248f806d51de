import type { ModelInput } from "../domain/model.ts";
import type { GraphSource } from "./graph-source.ts";

/** Tensors of a split model that its reference graph does not have, as docs/model-manifest.md names them. */
export const splitNames = { itemRows: "item_rows", itemRow: "item_row" } as const;

/** A model's other form: rows computed once an item, and what is left of the work for a candidate of a request. */
export interface StoredSplit {
  readonly item: GraphSource;
  readonly request: GraphSource;
  /** Columns of one item's row. */
  readonly rowWidth: number;
}

/** What travels of a batch to a split model, beside the slab: everything but the items, and where their rows lie. */
export function requestInputs(inputs: readonly ModelInput[]): readonly ModelInput[] {
  return [...inputs.filter(({ entity }) => entity !== "item"), rowInput(splitNames.itemRow)];
}

/** What travels of items whose rows the slab lacks: the slots that they are for, then their inputs. */
export function itemInputs(inputs: readonly ModelInput[]): readonly ModelInput[] {
  return [rowInput("slot"), ...inputs.filter(({ entity }) => entity === "item")];
}

function rowInput(name: string): ModelInput {
  return { name, dtype: "int32", entity: "row", columns: undefined };
}
