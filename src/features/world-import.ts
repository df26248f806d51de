import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import type { DuckDBConnection } from "@duckdb/node-api";
import { invalidArgument, messageOf } from "../domain/error.ts";
import type { FeatureValue } from "../domain/feature.ts";
import { removeChecksum, writeChecksum } from "./checksum.ts";
import { type ColumnKinds, openRowDatabase, type RowDatabase } from "./lmdb-rows.ts";
import type { ColumnKind, StoredEntity } from "./row-source.ts";
import { worldFiles } from "./world-fingerprint.ts";

/**
 * Writes a world's Parquet files into one LMDB file. `path` appears whole or not at all: it is written beside its
 * place, synced, and moved there; its checksum stands before it does.
 * @throws {SetlistError} INVALID_ARGUMENT naming the file, the column and the row that cannot be a feature.
 */
export async function importWorld(
  world: string,
  path: string,
  onWarning: (warning: string) => void,
): Promise<void> {
  const draft = `${path}${draftSuffix}`;
  await removeDatabase(draft);
  // Loaded only here: a start that finds its rows imported does without it.
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  const database = openRowDatabase(draft, { readOnly: false });
  try {
    for (const [entity, file] of Object.entries(worldFiles)) {
      await importEntity(connection, database, entity as StoredEntity, join(world, file), onWarning);
    }
  } finally {
    await database.root.close();
    connection.closeSync();
    instance.closeSync();
  }
  await sync(draft);
  await sync(await writeChecksum(draft, path));
  await rename(draft, path);
  await sync(dirname(path));
  await removeDatabase(draft);
}

/** Ends the name of a file that an import has not finished; one that is found at a start is a dead import's. */
const draftSuffix = ".importing";

/** Removes an LMDB file, its lock and its checksum, if they are there. */
export async function removeDatabase(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}-lock`, { force: true });
  await removeChecksum(path);
}

async function importEntity(
  connection: DuckDBConnection,
  database: RowDatabase,
  entity: StoredEntity,
  path: string,
  onWarning: (warning: string) => void,
): Promise<void> {
  const columns = await columnsOf(connection, path, onWarning);
  const names = Object.keys(columns);
  const casts = names.map((name) => `${quoted(name)}::${columns[name]?.type} AS ${quoted(name)}`);
  const result = await connection.stream(
    `SELECT id::VARCHAR AS id${casts.map((cast) => `, ${cast}`).join("")} FROM ${parquet(path)}`,
  );
  const rows = database.rows[entity];
  let row = 0;
  for await (const chunk of result.yieldRowsJs()) {
    rows.transactionSync(() => {
      for (const [id, ...values] of chunk) {
        if (typeof id !== "string" || id === "") throw invalidArgument(`${path}: row ${row} has no id`);
        if (rows.doesExist(id)) throw invalidArgument(`${path}: id ${JSON.stringify(id)} is there twice`);
        const features: Record<string, FeatureValue> = {};
        for (const [index, value] of values.entries()) {
          // NULL is no value: the model's default then stands in.
          if (value === null) continue;
          const name = names[index] as string;
          if (!isFeatureValue(value)) {
            throw invalidArgument(
              `${path}: expected finite numbers or strings in column ${name}, found ${inspect(value).slice(0, 60)} in the row of ${JSON.stringify(id)}`,
            );
          }
          features[name] = value;
        }
        rows.putSync(id, features);
        row += 1;
      }
    });
  }
  const kinds = Object.fromEntries(names.map((name) => [name, columns[name]?.kind as ColumnKind]));
  database.root.putSync(entity, kinds satisfies ColumnKinds);
}

/** The columns that can be features, and the one type each kind is read as. */
async function columnsOf(
  connection: DuckDBConnection,
  path: string,
  onWarning: (warning: string) => void,
): Promise<Record<string, { type: string; kind: ColumnKind }>> {
  const described = await connection
    .runAndReadAll(`DESCRIBE SELECT * FROM ${parquet(path)}`)
    .catch((error) => {
      throw invalidArgument(`${path}: expected a Parquet file, found: ${messageOf(error)}`);
    });
  const columns: Record<string, { type: string; kind: ColumnKind }> = {};
  let hasId = false;
  for (const [name, type] of described.getRowsJS() as [string, string][]) {
    const list = /^(.*)\[\d*\]$/.exec(type);
    const element = list?.[1] ?? type;
    const kind = numeric.test(element) ? "number" : textual.test(element) ? "string" : undefined;
    if (name === "id") hasId = true;
    else if (kind === undefined) onWarning(`${path}: column ${name} is ignored, ${type} cannot be a feature`);
    else
      columns[name] = {
        kind,
        type: `${kind === "number" ? "DOUBLE" : "VARCHAR"}${list === null ? "" : "[]"}`,
      };
  }
  if (!hasId)
    throw invalidArgument(`${path}: expected a column id, found ${Object.keys(columns).join(", ")}`);
  return columns;
}

const numeric = /^(FLOAT|DOUBLE|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\))$/;
const textual = /^(VARCHAR|ENUM\(.*\))$/;

function isFeatureValue(value: unknown): value is FeatureValue {
  if (typeof value === "string" || Number.isFinite(value)) return true;
  return Array.isArray(value) && value.every((one) => typeof one === "string" || Number.isFinite(one));
}

function parquet(path: string): string {
  return `read_parquet('${path.replaceAll("'", "''")}')`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
