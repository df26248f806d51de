import { access, copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const committed = join(import.meta.dirname, "..", "models", "world");

/**
 * A world of so many items in Parquet, as models/world is one: ids t1 to their number, each with the features of one
 * of the committed items; the committed listeners. What a row holds changes nothing about what it costs. What is there
 * already, whole, is left.
 */
export async function makeWorld(folder: string, items: number): Promise<void> {
  const path = join(folder, "items.parquet");
  if (await exists(path)) return;
  await mkdir(folder, { recursive: true });
  await copyFile(join(committed, "users.parquet"), join(folder, "users.parquet"));
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  try {
    await connection.run(`COPY (${itemsQuery(items)}) TO ${text(`${path}.making`)} (FORMAT parquet)`);
    await rename(`${path}.making`, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function itemsQuery(items: number): string {
  return `WITH base AS (SELECT *, row_number() OVER () - 1 AS place FROM read_parquet(${text(join(committed, "items.parquet"))})),
    size AS (SELECT count(*) AS rows FROM base)
    SELECT 't' || (made.i + 1) AS id, base.* EXCLUDE (id, place)
    FROM range(${items}) AS made(i), size JOIN base ON base.place = made.i % size.rows`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
