import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

export type Staging = DuckDBConnection;

/** A segment has 64 MB as it stands; its rows take a multiple of it, beside a server on the same machine. */
const memoryLimit = "2GB";

/** A DuckDB of its own, in memory, gone after `work`. What outgrows the memory limit goes to a temporary folder. */
export async function withStaging<T>(work: (staging: Staging) => Promise<T>): Promise<T> {
  const overflow = await mkdtemp(join(tmpdir(), "setlist-columnar-"));
  try {
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: memoryLimit,
      temp_directory: overflow,
      // Nothing is ever fetched from elsewhere, whatever a file name looks like.
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
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

/** A name as SQL reads it, whatever is in it. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL reads it, whatever is in it. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
