import type pg from "pg";
import { SetlistError } from "../domain/error.ts";

/**
 * Held by whoever writes, to the end of its transaction: one write at a time over the whole fleet, so that positions are
 * committed in their order. "setlist" in ASCII, as the number of an advisory lock.
 */
export const lock = "SELECT pg_advisory_xact_lock(x'7365746c697374'::bigint)";

/** What replicas listen to; a notification says that there is something new, the rows say what. */
export const channel = "setlist_experiments";

/** Each brings the tables from the version that is its place to the next. None that was released is ever changed. */
const migrations = [
  `CREATE TABLE setlist_revisions (
    position bigint PRIMARY KEY, -- 1, 2, 3, … in the order of the commits
    kind text NOT NULL, -- experiment, surface, kill-switch
    id text NOT NULL,
    revision integer NOT NULL,
    who text NOT NULL,
    at bigint NOT NULL, -- ms since 1970, UTC
    what text NOT NULL,
    document json NOT NULL, -- json, not jsonb: as it was written, to the byte
    hash text NOT NULL, -- of the whole configuration that its write left
    UNIQUE (kind, id, revision)
  )`,
];

/**
 * Makes the tables, or brings them up to date; two that start at once wait for each other.
 * @throws {SetlistError} UNAVAILABLE where a newer Setlist made them.
 */
export async function migrate(client: pg.Client, steps: readonly string[] = migrations): Promise<void> {
  await client.query("BEGIN");
  await client.query(lock);
  await client.query("CREATE TABLE IF NOT EXISTS setlist_schema (version integer NOT NULL)");
  const { rows } = await client.query<{ version: number }>("SELECT version FROM setlist_schema");
  const version = rows[0]?.version ?? 0;
  if (version > steps.length) {
    await client.query("ROLLBACK");
    throw new SetlistError(
      "UNAVAILABLE",
      `the experiment store's tables are of version ${version}, this Setlist knows ${steps.length}; use the newer one`,
    );
  }
  for (const step of steps.slice(version)) await client.query(step);
  if (rows.length === 0) await client.query("INSERT INTO setlist_schema VALUES ($1)", [steps.length]);
  else if (version < steps.length) await client.query("UPDATE setlist_schema SET version = $1", [steps.length]);
  await client.query("COMMIT");
}
