/** Analyses that fold only what is new of the log, and keep in a DuckDB of their own what they know of the rest. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { identifier, literal, lockFolder } from "../columnar/columnar.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { LogSources } from "./dialect.ts";
import { duckDbDialect } from "./duckdb-dialect.ts";
import type { ResultRow } from "./engine.ts";
import {
  emptyState,
  identityOf,
  type KeptStates,
  openState,
  removeOldStates,
  removeState,
  touchState,
} from "./kept-state.ts";
import { foldStatements, knownStatements } from "./known-log.ts";
import type { LogResults } from "./log-statements.ts";
import { rowsIn, withScratchDatabase } from "./scratch-database.ts";
import { batchesOf, newFiles, type ReadTable, settledFiles, sourcesOf } from "./settled-files.ts";

interface IncrementalAnalysis {
  readonly experiment: Experiment;
  readonly files: Pick<LogSources, ReadTable>;
  readonly states: KeptStates;
  readonly threads?: number | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

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
    const results = await withScratchDatabase(analysis, (database) =>
      foldedResults(database, folder, analysis),
    );
    await touchState(folder);
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
  database: DuckDBConnection,
  folder: string,
  { experiment, files, states, onProgress }: IncrementalAnalysis,
): Promise<LogResults> {
  // The order of rows matters nowhere, and keeping it costs memory.
  await database.run("SET preserve_insertion_order = false");
  const { settled, tail } = await settledFiles(files, states.warehouse);
  const identity = await identityOf(database, experiment);
  const known = await openState(database, folder, identity, states);
  let fresh = newFiles(settled, known);
  if (typeof fresh === "string") {
    states.onNotice(`${fresh}: what was known of the log is read again.`);
    await emptyState(database, folder, experiment, identity);
    fresh = settled;
  } else if (known.length === 0) await emptyState(database, folder, experiment, identity);
  const batches = batchesOf(fresh);
  const hasTail = tail.impressions.length + tail.outcomes.length > 0;
  const steps = batches.length + Number(hasTail) + 1;
  for (const [done, batch] of batches.entries()) {
    onProgress?.(done, steps);
    await database.run("BEGIN");
    await fold(database, experiment, sourcesOf(batch));
    const rows = batch.map(({ name, size, modified }) => `(${literal(name)}, ${size}, ${modified})`);
    await database.run(`INSERT INTO known.files VALUES ${rows.join(", ")}`);
    await database.run("COMMIT");
  }
  // What is not settled is folded too, and forgotten.
  await database.run("BEGIN");
  if (hasTail || known.length + fresh.length === 0) {
    onProgress?.(batches.length, steps);
    await fold(database, experiment, tail);
  }
  onProgress?.(steps - 1, steps);
  const results = await answers(database, experiment);
  await database.run("ROLLBACK");
  onProgress?.(steps, steps);
  return results;
}

async function fold(
  database: DuckDBConnection,
  experiment: Experiment,
  files: Pick<LogSources, ReadTable>,
): Promise<void> {
  for (const statement of foldStatements(duckDbDialect, experiment, files)) await database.run(statement);
  await dropTemporary(database);
}

async function answers(database: DuckDBConnection, experiment: Experiment): Promise<LogResults> {
  const { prepare, queries } = knownStatements(duckDbDialect, experiment);
  for (const statement of prepare) await database.run(statement);
  const results: [string, readonly ResultRow[]][] = [];
  for (const [name, query] of Object.entries(queries)) results.push([name, await rowsIn(database, query)]);
  return Object.fromEntries(results) as unknown as LogResults;
}

async function dropTemporary(database: DuckDBConnection): Promise<void> {
  const kinds = { view: "duckdb_views() WHERE NOT internal AND", table: "duckdb_tables() WHERE" };
  for (const [kind, list] of Object.entries(kinds)) {
    const rows = await rowsIn(database, `SELECT ${kind}_name AS name FROM ${list} database_name = 'temp'`);
    for (const { name } of rows) await database.run(`DROP ${kind} temp.${identifier(String(name))}`);
  }
}
