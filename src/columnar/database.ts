import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** The database in which a segment's rows are gathered. */
export type Staging = DuckDBConnection;

export interface DatabaseOptions {
  /** A folder for what outgrows the memory limit; DuckDB makes it when it needs it. */
  readonly overflow: string;
  /** As many as there are cores where undefined. */
  readonly threads?: number | undefined;
  /** `segmentMemoryMib` where undefined. */
  readonly memoryMib?: number | undefined;
}

/** A sealed segment of 64 MB fits, and it is small beside a server on the same machine. */
const segmentMemoryMib = 1_907;

/** A DuckDB of its own, in memory, gone after `work`. */
export async function withDatabase<T>(
  { overflow, threads, memoryMib = segmentMemoryMib }: DatabaseOptions,
  work: (database: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryMib}MiB`,
    temp_directory: overflow,
    max_temp_directory_size: `${await mibToSpare(dirname(overflow))}MiB`,
    // Nothing is ever fetched from elsewhere, whatever a file name looks like.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    ...(threads === undefined ? {} : { threads: String(threads) }),
  });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Half of what is free: a log on the same disk has to go on. */
async function mibToSpare(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / 2 / 1_048_576);
}

/** A name as SQL reads it, whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL reads it, whatever is in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
