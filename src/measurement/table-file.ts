/** A CSV or Parquet file as DuckDB reads it: checked first, so that what is wrong with it is said in a sentence. */
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { literal } from "../columnar/columnar.ts";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import { unreadableReason } from "../domain/unreadable.ts";
import { csvSource } from "./csv-source.ts";
import { rowsIn } from "./scratch-database.ts";

export interface TableFile {
  /** A FROM clause. Every column of a CSV is text; `''` reads as NULL. */
  readonly source: string;
  readonly columns: readonly string[];
}

/** @throws {SetlistError} INVALID_ARGUMENT where the file is missing, empty or neither CSV nor Parquet. */
export async function openTableFile(database: DuckDBConnection, file: string): Promise<TableFile> {
  const parquet = await isParquet(file);
  const path = literal(withoutGlob(resolve(file)));
  const source = parquet
    ? `read_parquet(${path}, hive_partitioning = false)`
    : await readingFrom(file, () => csvSource(database, path));
  const rows = await readingFrom(file, () => rowsIn(database, `DESCRIBE SELECT * FROM ${source}`));
  return { source, columns: rows.map((row) => String(row["column_name"])) };
}

/** Runs what reads the file, and says in a sentence what DuckDB complains about. */
export async function readingFrom<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const complaint = error instanceof Error ? error.message : String(error);
    throw invalidArgument(`cannot read ${file} as a table: ${reasonOf(complaint)}`);
  }
}

/** DuckDB gives a line's beginning, what is wrong with it, and then advice about options that nobody has here. */
function reasonOf(complaint: string): string {
  const [, number] = /CSV Error on Line: (\d+)/.exec(complaint) ?? [];
  // DuckDB counts no line where it does not know how the file's lines end.
  const line = number === undefined ? "a line" : `line ${number}`;
  const [, bytesMax] = /Maximum line size of (\d+) bytes exceeded/.exec(complaint) ?? [];
  const [, expected, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(complaint) ?? [];
  if (bytesMax !== undefined) return `${line} is longer than ${bytesMax} bytes`;
  if (expected !== undefined && found !== undefined) {
    const odd =
      Number(found) > Number(expected)
        ? `more columns than the ${expected}`
        : `${found} of the ${expected} columns`;
    return `${line} has ${odd} of its header`;
  }
  if (/unterminated quote|quote should be followed/i.test(complaint))
    return `${line} opens a quote and does not close it`;
  // What follows is the statement itself, which nobody has written.
  const [said = ""] = complaint.split(/\n+LINE \d+:/);
  const lines = said.split("\n").map((one) => (one.length > 120 ? `${one.slice(0, 120)}…` : one));
  return lines.slice(0, 3).join(" ").trim();
}

async function isParquet(file: string): Promise<boolean> {
  const head = Buffer.alloc(4);
  let length: number;
  try {
    const found = await stat(file);
    // A pipe would be waited for without end, and is read more than once.
    if (!found.isFile() && !found.isDirectory()) {
      throw invalidArgument(`cannot read ${file}: it is no regular file, expected a CSV or Parquet file`);
    }
    const handle = await open(file, "r");
    length = await handle
      .read(head, 0, head.length, 0)
      .then(({ bytesRead }) => bytesRead)
      .finally(() => handle.close());
  } catch (error) {
    if (error instanceof SetlistError) throw error;
    throw invalidArgument(`cannot read ${file}: ${unreadableReason(error)}`);
  }
  if (length === 0) throw invalidArgument(`${file} is empty: expected a header line and rows`);
  return head.toString("latin1") === "PAR1";
}

/** DuckDB expands patterns in file names; in brackets each of their characters stands for itself. */
function withoutGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, (character) => `[${character}]`);
}
