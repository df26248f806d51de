import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from "@duckdb/node-api";

export type Row = Record<string, DuckDBValue>;

/** A DuckDB of its own, in memory, gone after `work`. What outgrows the memory limit goes to a temporary folder. */
export async function withWarehouse<T>(
  options: { readonly threads?: number },
  work: (warehouse: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const overflow = await mkdtemp(join(tmpdir(), "setlist-analysis-"));
  try {
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: memoryLimit,
      temp_directory: overflow,
      // Nothing is ever fetched from elsewhere, whatever a file name looks like.
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    });
    const connection = await instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(overflow, { recursive: true, force: true });
  }
}

/** Enough for some ten million outcomes without touching the disk, and small beside a server on the same machine. */
const memoryLimit = "2GB";

export async function rowsOf(warehouse: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await warehouse.runAndReadAll(sql)).getRowObjects();
}

/** The only row of an aggregate without groups. */
export async function rowOf(warehouse: DuckDBConnection, sql: string): Promise<Row> {
  return (await rowsOf(warehouse, sql))[0] ?? {};
}

/** A column that the query made a DOUBLE; a NULL reads as 0. */
export function numberIn(row: Row, column: string): number {
  return Number(row[column] ?? 0);
}

/** A name as SQL reads it, whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL reads it, whatever is in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
