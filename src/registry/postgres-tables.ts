import type pg from "pg";
import { SetlistError } from "../domain/error.ts";

/**
 * Held by whoever writes, to the end of its transaction: one write at a time over the whole fleet, so that positions are
 * committed in their order. The number is "setlist" in ASCII.
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

/** Makes the tables, or brings them up to date; newer ones stay as they are. Two that start at once wait for each other. */
export async function migrate(client: pg.ClientBase): Promise<void> {
  if ((await versionOf(client)) >= migrations.length) return;
  await client.query("BEGIN");
  try {
    await client.query(lock);
    const version = await versionOf(client);
    if (version < migrations.length) {
      for (const migration of migrations.slice(version)) await client.query(migration);
      await client.query("CREATE TABLE IF NOT EXISTS setlist_schema (version integer NOT NULL)");
      await client.query("DELETE FROM setlist_schema");
      await client.query("INSERT INTO setlist_schema VALUES ($1)", [migrations.length]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/**
 * Before anything is written, with the lock. Reading goes on: servers are updated one after the other.
 * @throws {SetlistError} UNAVAILABLE where a newer Setlist made the tables.
 */
export async function expectKnownTables(client: pg.ClientBase): Promise<void> {
  const version = await versionOf(client);
  if (version <= migrations.length) return;
  throw new SetlistError(
    "UNAVAILABLE",
    `the experiment store's tables are of version ${version}, this Setlist knows ${migrations.length}; use the newer one`,
  );
}

export async function areTablesMade(client: pg.ClientBase): Promise<boolean> {
  return (await versionOf(client)) > 0;
}

/** 0 where there are no tables. */
async function versionOf(client: pg.ClientBase): Promise<number> {
  // Not to_regclass: PostgreSQL may remember for it that there was no such table before we had the lock.
  const { rowCount } = await client.query(
    "SELECT FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'setlist_schema'",
  );
  if (rowCount === 0) return 0;
  const { rows } = await client.query<{ version: number }>("SELECT version FROM setlist_schema");
  return rows[0]?.version ?? 0;
}
