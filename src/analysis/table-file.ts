/** A CSV or Parquet file as DuckDB reads it: checked first, so that what is wrong with it is said in a sentence. */
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { invalidArgument } from "../domain/error.ts";
import { literal, rowsOf } from "./warehouse.ts";

export interface TableFile {
  /** A FROM clause. Every column of a CSV is text; `''` reads as NULL. */
  readonly source: string;
  readonly columns: readonly string[];
}

/** @throws {SetlistError} INVALID_ARGUMENT where the file is missing, empty or neither CSV nor Parquet. */
export async function openTableFile(warehouse: DuckDBConnection, file: string): Promise<TableFile> {
  const parquet = await isParquet(file);
  const path = literal(withoutGlob(resolve(file)));
  const source = parquet
    ? `read_parquet(${path}, hive_partitioning = false)`
    : `read_csv(${path}, header = true, all_varchar = true, hive_partitioning = false)`;
  const rows = await readingFrom(file, () => rowsOf(warehouse, `DESCRIBE SELECT * FROM ${source}`));
  return { source, columns: rows.map((row) => String(row["column_name"])) };
}

/** Runs what reads the file: the first line of DuckDB's complaint says what is wrong and in which line of it. */
export async function readingFrom<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split("\n");
    throw invalidArgument(`cannot read ${file} as a table: ${lines.slice(0, 2).join(" ").trim()}`);
  }
}

async function isParquet(file: string): Promise<boolean> {
  const head = Buffer.alloc(4);
  let length: number;
  try {
    const handle = await open(file, "r");
    length = await handle
      .read(head, 0, head.length, 0)
      .then(({ bytesRead }) => bytesRead)
      .finally(() => handle.close());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw invalidArgument(`cannot read ${file}: ${sentences[code ?? ""] ?? `the system says ${code}`}`);
  }
  if (length === 0) throw invalidArgument(`${file} is empty: expected a header line and rows`);
  return head.toString("latin1") === "PAR1";
}

const sentences: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EISDIR: "it is a folder, expected a CSV or Parquet file",
};

/** DuckDB expands patterns in file names; in brackets each of their characters stands for itself. */
function withoutGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, (character) => `[${character}]`);
}
