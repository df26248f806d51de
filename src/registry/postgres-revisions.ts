import type pg from "pg";
import type { Experiment } from "../domain/experiment.ts";
import {
  emptyState,
  type KillSwitch,
  type Revision,
  type StoreChange,
  type StoreState,
  type SurfaceDefault,
  type Written,
} from "../domain/store-state.ts";
import { theSwitch } from "./switch-key.ts";

/** What stands in the database, and the position and hash of the last write: equal exactly where nothing was written. */
export interface Standing {
  readonly state: StoreState;
  readonly position: number;
  readonly hash: string;
}

/** Before the first write. */
export const nothing: Standing = { state: emptyState, position: 0, hash: "" };

export type Kind = "experiment" | "surface" | "kill-switch";

interface Latest {
  readonly kind: Kind;
  readonly document: unknown;
  readonly position: string;
  readonly hash: string;
}

/** Whether what stands in the database is `known`: a look at the last row alone. */
export async function standsStill(client: pg.ClientBase, known: Standing): Promise<boolean> {
  const { rows } = await client.query<Pick<Latest, "position" | "hash">>(
    "SELECT position, hash FROM setlist_revisions ORDER BY position DESC LIMIT 1",
  );
  const [{ position, hash } = nothing] = rows;
  return Number(position) === known.position && hash === known.hash;
}

/** One statement, so that all of it is of one moment. */
export async function readStanding(client: pg.ClientBase): Promise<Standing> {
  const { rows } = await client.query<Latest>(
    `SELECT DISTINCT ON (kind, id) kind, document, position, hash
     FROM setlist_revisions ORDER BY kind, id, revision DESC`,
  );
  const documents = <T>(kind: Kind): T[] =>
    rows.filter((row) => row.kind === kind).map(({ document }) => document as T);
  const last = rows.toSorted((a, b) => Number(b.position) - Number(a.position))[0] ?? nothing;
  const [killSwitch = emptyState.killSwitch] = documents<KillSwitch>("kill-switch");
  return {
    position: Number(last.position),
    hash: last.hash,
    state: {
      // PostgreSQL orders texts by its own collation.
      experiments: documents<Experiment>("experiment").sort((a, b) => (a.id < b.id ? -1 : 1)),
      surfaces: documents<SurfaceDefault>("surface").sort((a, b) => (a.surface < b.surface ? -1 : 1)),
      killSwitch,
    },
  };
}

/** Answers the position of the last row. To be called with the lock. */
export async function insertChange(
  client: pg.ClientBase,
  change: StoreChange,
  by: { readonly who: string; readonly at: number; readonly hash: string; readonly after: number },
): Promise<number> {
  let position = by.after;
  const insert = async (kind: Kind, id: string, { document, what }: Written<{ revision: number }>) => {
    position += 1;
    await client.query(
      `INSERT INTO setlist_revisions (position, kind, id, revision, who, at, what, document, hash)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [position, kind, id, document.revision, by.who, by.at, what, JSON.stringify(document), by.hash],
    );
  };
  for (const one of change.experiments ?? []) await insert("experiment", one.document.id, one);
  for (const one of change.surfaces ?? []) await insert("surface", one.document.surface, one);
  if (change.killSwitch !== undefined) await insert("kill-switch", theSwitch, change.killSwitch);
  return position;
}

/** Every revision of one document, oldest first. */
export async function readHistory<T>(
  client: pg.ClientBase,
  kind: Kind,
  id: string,
): Promise<readonly Revision<T>[]> {
  const { rows } = await client.query<Revision<T> & { readonly at: string }>(
    "SELECT document, who, at, what, hash FROM setlist_revisions WHERE kind = $1 AND id = $2 ORDER BY revision",
    [kind, id],
  );
  // A bigint comes as text.
  return rows.map(({ document, who, at, what, hash }) => ({ document, who, at: Number(at), what, hash }));
}
