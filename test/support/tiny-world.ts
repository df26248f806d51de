/** Worlds of a few users and items, written as the Parquet files that the feature store reads. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Features, FeatureValue } from "../../src/domain/feature.ts";

export interface TinyWorld {
  readonly users: Readonly<Record<string, Features>>;
  readonly items: Readonly<Record<string, Features>>;
}

/** Runs SQL in a database of its own. */
export async function runSql(...statements: string[]): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    for (const statement of statements) await connection.run(statement);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Writes `users.parquet` and `items.parquet` into `folder`. A feature that a row lacks is NULL. */
export async function writeWorld(folder: string, world: TinyWorld): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeTable(folder, "users", world.users);
  await writeTable(folder, "items", world.items);
  return folder;
}

async function writeTable(
  folder: string,
  table: string,
  rows: Readonly<Record<string, Features>>,
): Promise<void> {
  const types = new Map([["id", "VARCHAR"]]);
  for (const features of Object.values(rows)) {
    for (const [name, value] of Object.entries(features)) types.set(name, typeOf(value));
  }
  const columns = [...types].map(([name, type]) => `'${name}': '${type}'`).join(", ");
  const json = join(folder, `${table}.json`);
  const lines = Object.entries(rows).map(([id, features]) => JSON.stringify({ id, ...features }));
  await writeFile(json, lines.join("\n"));
  await runSql(
    `COPY (SELECT * FROM read_json('${json}', format = 'newline_delimited', columns = {${columns}}))
     TO '${join(folder, `${table}.parquet`)}' (FORMAT parquet)`,
  );
}

function typeOf(value: FeatureValue): string {
  const [first] = Array.isArray(value) ? value : [value];
  const element = typeof first === "number" ? "DOUBLE" : "VARCHAR";
  return Array.isArray(value) ? `${element}[]` : element;
}
