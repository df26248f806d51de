import type { Features } from "../domain/feature.ts";

export type StoredEntity = "user" | "item";

/** What a column of the store holds. */
export type ColumnKind = "number" | "string";

/** Where the features of known users and items are kept: LMDB in one process, Redis for a fleet. */
export interface RowSource {
  /** The columns that rows of an entity may have; undefined where the source does not know. */
  columns(entity: StoredEntity): ReadonlyMap<string, ColumnKind> | undefined;
  /** One row an id, in their order; undefined for an unknown id. @throws {Error} where the source cannot be asked. */
  read(entity: StoredEntity, ids: readonly string[]): Promise<readonly (Features | undefined)[]>;
  close(): Promise<void>;
}
