/** Tensors of a split model that its reference graph does not have, as docs/model-manifest.md names them. */
export const splitNames = { itemRows: "item_rows", itemRow: "item_row" } as const;

/** One of the two graphs as it stands in the repository. */
export interface StoredGraph {
  /** For messages. */
  readonly path: string;
  readonly bytes: SharedArrayBuffer;
}

/** A model's other form: rows computed once an item, and what is left of the work for a candidate of a request. */
export interface StoredSplit {
  readonly item: StoredGraph;
  readonly request: StoredGraph;
  /** Columns of one item's row. */
  readonly rowWidth: number;
}
