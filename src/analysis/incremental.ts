/** Analyses that fold only what is new of the log, and keep in a DuckDB of their own what they know of the rest. */
import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, rm, rmdir, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { identifier, lockFolder } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { LogSources } from "./dialect.ts";
import { duckDbDialect } from "./duckdb-dialect.ts";
import type { ResultRow } from "./engine.ts";
import { foldStatements, knownStatements, stateTables, stateVersion } from "./known-log.ts";
import type { LogResults } from "./log-statements.ts";
import {
  batchesOf,
  type KnownFile,
  newFiles,
  type ReadTable,
  settledFiles,
  sourcesOf,
} from "./settled-files.ts";
import { literal, withWarehouse } from "./warehouse.ts";

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

interface IncrementalAnalysis {
  readonly experiment: Experiment;
  readonly files: Pick<LogSources, ReadTable>;
  readonly states: KeptStates;
  readonly threads?: number | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/** A state that nobody has asked for so long is removed. */
const unusedMsMax = 14 * 86_400_000;

const database = "known.duckdb";

/** What the queries of `logStatements` answer over all files; undefined, with a notice, where the whole log has to be read. */
export async function incrementalResults(analysis: IncrementalAnalysis): Promise<LogResults | undefined> {
  const { experiment, states } = analysis;
  await removeOldStates(states);
  const folder = join(states.folder, experiment.id);
  let lock: ReturnType<typeof lockFolder>;
  try {
    await mkdir(folder, { recursive: true });
    lock = lockFolder(folder);
  } catch (error) {
    states.onNotice(
      error instanceof SetlistError && error.code === "ABORTED"
        ? "Another analysis is at the state of this experiment: the whole log is read."
        : `No state can be kept in ${folder} (${(error as Error).message}): the whole log is read.`,
    );
    return undefined;
  }
  try {
    const results = await withWarehouse(analysis, (session) => foldedResults(session, folder, analysis));
    await utimes(join(folder, database), new Date(), new Date());
    return results;
  } catch (error) {
    const isRemoved = await removeState(folder).then(
      () => true,
      () => false,
    );
    const [reason] = (error as Error).message.split("\n");
    states.onNotice(
      `The state in ${folder} could not be used and ${isRemoved ? "is" : "cannot be"} removed (${reason}): the whole log is read.`,
    );
    return undefined;
  } finally {
    lock.release();
  }
}

async function foldedResults(
  session: DuckDBConnection,
  folder: string,
  { experiment, files, states, onProgress }: IncrementalAnalysis,
): Promise<LogResults> {
  // The order of rows matters nowhere, and keeping it costs memory.
  await session.run("SET preserve_insertion_order = false");
  const { settled, tail } = await settledFiles(files, states.warehouse);
  const identity = await identityOf(session, experiment);
  const known = await openState(session, folder, identity, states);
  let fresh = newFiles(settled, known);
  if (typeof fresh === "string") {
    states.onNotice(`${fresh}: what was known of the log is read again.`);
    await emptyState(session, folder, experiment, identity);
    fresh = settled;
  } else if (known.length === 0) await emptyState(session, folder, experiment, identity);
  const batches = batchesOf(fresh);
  const hasTail = tail.impressions.length + tail.outcomes.length > 0;
  const steps = batches.length + Number(hasTail) + 1;
  for (const [done, batch] of batches.entries()) {
    onProgress?.(done, steps);
    await session.run("BEGIN");
    await fold(session, experiment, sourcesOf(batch));
    const rows = batch.map(({ name, size, modified }) => `(${literal(name)}, ${size}, ${modified})`);
    await session.run(`INSERT INTO known.files VALUES ${rows.join(", ")}`);
    await session.run("COMMIT");
  }
  // What is not settled is folded too, and forgotten.
  await session.run("BEGIN");
  if (hasTail || known.length + fresh.length === 0) {
    onProgress?.(batches.length, steps);
    await fold(session, experiment, tail);
  }
  onProgress?.(steps - 1, steps);
  const results = await answers(session, experiment);
  await session.run("ROLLBACK");
  onProgress?.(steps, steps);
  return results;
}

/** Whatever another one would fold otherwise: the statements, and the library that runs them. */
async function identityOf(session: DuckDBConnection, experiment: Experiment): Promise<string> {
  const statements = foldStatements(duckDbDialect, experiment, { impressions: [], outcomes: [] });
  const [library] = (await session.runAndReadAll("SELECT version() AS version")).getRowObjectsJson();
  return createHash("sha256")
    .update(JSON.stringify([stateVersion, library, stateTables(experiment), statements]))
    .digest("hex");
}

/** Attaches what is kept, where it is of this document; answers the files that it knows, none where it is to be made. */
async function openState(
  session: DuckDBConnection,
  folder: string,
  identity: string,
  { onNotice }: KeptStates,
): Promise<readonly KnownFile[]> {
  const path = join(folder, database);
  if ((await stat(path).catch(() => undefined)) === undefined) {
    onNotice("There is no state of this experiment yet: the whole log is read once.");
    return [];
  }
  await session.run(`ATTACH ${literal(path)} AS known`);
  const tables = await rowsIn(
    session,
    "SELECT table_name FROM duckdb_tables() WHERE database_name = 'known'",
  );
  const [of] = tables.some((row) => row["table_name"] === "identity")
    ? await rowsIn(session, "SELECT identity FROM known.identity")
    : [];
  if (of?.["identity"] === identity) {
    const rows = await rowsIn(session, "SELECT name, size, modified FROM known.files");
    return rows.map((row) => ({
      name: String(row["name"]),
      size: Number(row["size"]),
      modified: Number(row["modified"]),
    }));
  }
  onNotice("The experiment's document, or Setlist, has changed since: the whole log is read once.");
  return [];
}

/** In place of what is there. */
async function emptyState(
  session: DuckDBConnection,
  folder: string,
  experiment: Experiment,
  identity: string,
): Promise<void> {
  await session.run("DETACH DATABASE IF EXISTS known");
  await removeState(folder);
  await session.run(`ATTACH ${literal(join(folder, database))} AS known`);
  await session.run("BEGIN");
  for (const statement of stateTables(experiment)) await session.run(statement);
  await session.run(`CREATE TABLE known.identity AS SELECT ${literal(identity)} AS identity`);
  await session.run("COMMIT");
}

async function fold(
  session: DuckDBConnection,
  experiment: Experiment,
  files: Pick<LogSources, ReadTable>,
): Promise<void> {
  for (const statement of foldStatements(duckDbDialect, experiment, files)) await session.run(statement);
  await dropTemporary(session);
}

async function answers(session: DuckDBConnection, experiment: Experiment): Promise<LogResults> {
  const { prepare, queries } = knownStatements(duckDbDialect, experiment);
  for (const statement of prepare) await session.run(statement);
  const results: [string, readonly ResultRow[]][] = [];
  for (const [name, query] of Object.entries(queries)) results.push([name, await rowsIn(session, query)]);
  return Object.fromEntries(results) as unknown as LogResults;
}

async function dropTemporary(session: DuckDBConnection): Promise<void> {
  const kinds = { view: "duckdb_views() WHERE NOT internal AND", table: "duckdb_tables() WHERE" };
  for (const [kind, list] of Object.entries(kinds)) {
    const rows = await rowsIn(session, `SELECT ${kind}_name AS name FROM ${list} database_name = 'temp'`);
    for (const { name } of rows) await session.run(`DROP ${kind} temp.${identifier(String(name))}`);
  }
}

async function rowsIn(session: DuckDBConnection, query: string): Promise<ResultRow[]> {
  return (await session.runAndReadAll(query)).getRowObjectsJson() as ResultRow[];
}

async function removeState(folder: string): Promise<void> {
  for (const name of [database, `${database}.wal`]) await rm(join(folder, name), { force: true });
}

/**
 * Of experiments that are gone, and those that nobody has asked for; not while somebody is at one. Only what an analysis
 * has written goes: what else stands in the folder, or behind a link, is somebody else's.
 */
async function removeOldStates({ folder, experiments }: KeptStates): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const own = join(folder, name);
    const used = await stat(join(own, database)).catch(() => undefined);
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
