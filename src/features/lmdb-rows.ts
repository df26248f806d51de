import { setImmediate as nextTurn } from "node:timers/promises";
import { type Database, open, type RootDatabase } from "lmdb";
import type { Features } from "../domain/feature.ts";
import type { ColumnKind, RowSource, StoredEntity } from "./row-source.ts";

/** The columns of an entity, as they are kept beside its rows. */
export type ColumnKinds = Readonly<Record<string, ColumnKind>>;

/** One LMDB file: a database of rows for each entity, and their columns in the root. */
export interface RowDatabase {
  readonly root: RootDatabase<ColumnKinds, string>;
  readonly rows: Readonly<Record<StoredEntity, Database<Features, string>>>;
}

/** Every tensor of numbers is float32: half the bytes, and nothing that a model could see is lost. */
const encoding = { useFloat32: 1, sharedStructuresKey: Symbol.for("structures") };

export function openRowDatabase(path: string, options: { readOnly: boolean }): RowDatabase {
  // An import syncs once, at its end, before anyone can see the file.
  const how = options.readOnly ? { readOnly: true } : { noSync: true };
  const root = open<ColumnKinds, string>({ path, noSubdir: true, maxDbs: 2, ...how });
  const rows = (name: StoredEntity): Database<Features, string> => root.openDB(name, encoding);
  return { root, rows: { user: rows("user"), item: rows("item") } };
}

/** Rows read between two turns of the event loop: less than a millisecond of work. */
const rowsPerTurn = 128;

/** The rows of an imported world, in one memory-mapped file that nobody writes any more. */
export class LmdbRows implements RowSource {
  readonly #database: RowDatabase;
  readonly #columns: Readonly<Record<StoredEntity, ReadonlyMap<string, ColumnKind>>>;
  #closed = false;

  constructor(path: string) {
    this.#database = openRowDatabase(path, { readOnly: true });
    const columns = (entity: StoredEntity): ReadonlyMap<string, ColumnKind> =>
      new Map(Object.entries(this.#database.root.get(entity) ?? {}));
    this.#columns = { user: columns("user"), item: columns("item") };
  }

  columns(entity: StoredEntity): ReadonlyMap<string, ColumnKind> {
    return this.#columns[entity];
  }

  async read(entity: StoredEntity, ids: readonly string[]): Promise<readonly (Features | undefined)[]> {
    const rows: (Features | undefined)[] = [];
    for (const id of ids) {
      if (rows.length > 0 && rows.length % rowsPerTurn === 0) await nextTurn();
      // LMDB would read freed memory.
      if (this.#closed) throw new Error("it is closed");
      rows.push(this.#database.rows[entity].get(id));
    }
    return rows;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#database.root.close();
  }
}
