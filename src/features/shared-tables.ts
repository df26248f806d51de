import type { ItemTable } from "../domain/feature-store.ts";
import type { EntityPlan } from "./encoder-plan.ts";
import type { StoredEntity } from "./row-source.ts";
import { RowTable } from "./row-table.ts";

/**
 * One table for all models that encode an entity alike, as the arms of an experiment and the versions of a model mostly
 * do: its rows are there already when a new version comes, and stand in memory and in the processor's cache once. A
 * table lives as long as a model's plan names it.
 */
export class SharedTables {
  readonly #rowsMax: number;
  readonly #tables = new Map<string, WeakRef<RowTable>>();

  /** @param rowsMax of each table. */
  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  of(entity: StoredEntity, { inputs, features }: EntityPlan): RowTable {
    const encoding = features.map(({ spec, place, stride }) => ({ spec, place, stride }));
    const key = JSON.stringify({ entity, inputs, encoding });
    const known = this.#tables.get(key)?.deref();
    if (known !== undefined) return known;
    for (const [other, table] of this.#tables) if (table.deref() === undefined) this.#tables.delete(other);
    const made = new RowTable(inputs, this.#rowsMax);
    this.#tables.set(key, new WeakRef(made));
    return made;
  }
}

/** A table as one model has it, which another than the model's own never is. */
export class ModelTable implements ItemTable {
  readonly #rows: ItemTable;

  constructor(rows: ItemTable) {
    this.#rows = rows;
  }

  get tensors(): ItemTable["tensors"] {
    return this.#rows.tensors;
  }

  get versions(): ItemTable["versions"] {
    return this.#rows.versions;
  }
}
