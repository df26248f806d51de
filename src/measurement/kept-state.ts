/** The file in which an incremental analysis keeps what it knows of the log, one an experiment. */
import { createHash } from "node:crypto";
import { lstat, readdir, rm, rmdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { literal, lockFolder } from "../columnar/columnar.ts";
import type { Experiment } from "../domain/experiment.ts";
import { duckDbDialect } from "./duckdb-dialect.ts";
import { numberIn } from "./engine.ts";
import { foldStatements } from "./known-log.ts";
import { stateTables, stateVersion } from "./known-tables.ts";
import { rowIn, rowsIn } from "./scratch-database.ts";
import type { KnownFile } from "./settled-files.ts";

/** What incremental analyses of a data directory keep, a folder an experiment; any of them may be deleted at any time. */
export interface KeptStates {
  readonly folder: string;
  /** The folder whose Parquet files, once there, never change. */
  readonly warehouse: string;
  /** Of which there is a state no longer than that they are there. */
  readonly experiments: readonly string[];
  /** One sentence, where more is read than what is new. */
  readonly onNotice: (sentence: string) => void;
}

/** A state that nobody has asked for so long is removed. */
const unusedMsMax = 14 * 86_400_000;

const stateFile = "known.duckdb";

/** Whatever another one would fold otherwise: the statements, and the library that runs them. */
export async function identityOf(database: DuckDBConnection, experiment: Experiment): Promise<string> {
  const statements = foldStatements(duckDbDialect, experiment, { impressions: [], outcomes: [] });
  const library = await rowIn(database, "SELECT version() AS version");
  return createHash("sha256")
    .update(JSON.stringify([stateVersion, library, stateTables(experiment), statements]))
    .digest("hex");
}

/** Attaches what is kept, where it is of this document; answers the files that it knows, none where it is to be made. */
export async function openState(
  database: DuckDBConnection,
  folder: string,
  identity: string,
  { onNotice }: KeptStates,
): Promise<readonly KnownFile[]> {
  const path = join(folder, stateFile);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    onNotice("There is no state of this experiment yet: the whole log is read once.");
    return [];
  }
  await database.run(`ATTACH ${literal(path)} AS known`);
  const tables = await rowsIn(
    database,
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'known'",
  );
  const of = tables.some((row) => row["table_name"] === "identity")
    ? await rowIn(database, "SELECT identity FROM known.identity")
    : {};
  if (of["identity"] === identity) {
    const rows = await rowsIn(database, "SELECT name, size, modified FROM known.files");
    return rows.map((row) => ({
      name: String(row["name"]),
      size: numberIn(row, "size"),
      modified: numberIn(row, "modified"),
    }));
  }
  onNotice("The experiment's document, or Setlist, has changed since: the whole log is read once.");
  return [];
}

/** In place of what is there. */
export async function emptyState(
  database: DuckDBConnection,
  folder: string,
  experiment: Experiment,
  identity: string,
): Promise<void> {
  await database.run("DETACH DATABASE IF EXISTS known");
  await removeState(folder);
  await database.run(`ATTACH ${literal(join(folder, stateFile))} AS known`);
  await database.run("BEGIN");
  for (const statement of stateTables(experiment)) await database.run(statement);
  await database.run(`CREATE TABLE known.identity AS SELECT ${literal(identity)} AS identity`);
  await database.run("COMMIT");
}

/** Somebody has asked for it. */
export async function touchState(folder: string): Promise<void> {
  await utimes(join(folder, stateFile), new Date(), new Date());
}

export async function removeState(folder: string): Promise<void> {
  for (const name of [stateFile, `${stateFile}.wal`]) await rm(join(folder, name), { force: true });
}

/**
 * Of experiments that are gone, and those that nobody has asked for; not while somebody is at one. Only what an analysis
 * has written goes: what else stands in the folder, or behind a link, is somebody else's.
 */
export async function removeOldStates({ folder, experiments }: KeptStates): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const own = join(folder, name);
    const used = await stat(join(own, stateFile)).catch(() => undefined);
    if (used === undefined || !(await lstat(own)).isDirectory()) continue;
    const isOld = Date.now() - used.mtimeMs > unusedMsMax;
    if (experiments.includes(name) && !isOld) continue;
    try {
      const lock = lockFolder(own);
      await removeState(own);
      lock.release();
      await rm(join(own, "lock"), { force: true });
      await rmdir(own);
    } catch {
      // The next analysis tries again.
    }
  }
}
