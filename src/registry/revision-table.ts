import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { SetlistError } from "../domain/error.ts";
import type { Revision } from "../domain/store-state.ts";

type Row = Record<string, SQLOutputValue>;

/** A row a revision. Two writers of one revision collide on its key instead of losing one. */
export class RevisionTable<T extends { readonly revision: number }> {
  readonly #keyOf: (document: T) => string;
  readonly #latest: StatementSync;
  readonly #of: StatementSync;
  readonly #insert: StatementSync;

  /** @param key the column that says whose revision it is, and `keyOf` its value. */
  constructor(database: DatabaseSync, table: string, key: string, keyOf: (document: T) => string) {
    this.#keyOf = keyOf;
    const select = `SELECT who, at, what, document, hash FROM ${table}`;
    this.#of = database.prepare(`${select} WHERE ${key} = ? ORDER BY revision`);
    this.#latest = database.prepare(
      `${select} AS one WHERE revision = (SELECT max(revision) FROM ${table} WHERE ${key} = one.${key}) ORDER BY ${key}`,
    );
    this.#insert = database.prepare(
      `INSERT INTO ${table} (${key}, revision, who, at, what, document, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  /** What stands of each, in the order of their keys. */
  latest(): readonly T[] {
    return this.#latest.all().map((row) => toRevision<T>(row).document);
  }

  /** Oldest first; none where it is unknown. */
  of(key: string): readonly Revision<T>[] {
    return this.#of.all(key).map((row) => toRevision<T>(row));
  }

  insert({ document, who, at, what, hash }: Revision<T>): void {
    const key = this.#keyOf(document);
    this.#insert.run(key, document.revision, who, at, what, JSON.stringify(document), hash ?? null);
  }
}

function toRevision<T>({ who, at, what, document, hash }: Row): Revision<T> {
  if (typeof who !== "string" || typeof at !== "number" || typeof what !== "string") throw foreign();
  if (typeof document !== "string") throw foreign();
  return {
    document: JSON.parse(document) as T,
    who,
    at,
    what,
    hash: typeof hash === "string" ? hash : undefined,
  };
}

function foreign(): SetlistError {
  return new SetlistError("UNAVAILABLE", "the experiment store holds a row that Setlist did not write");
}
