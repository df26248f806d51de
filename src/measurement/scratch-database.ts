import { totalmem } from "node:os";
import type { DuckDBConnection } from "@duckdb/node-api";
import { withDatabase, withTemporaryFolder } from "../columnar/columnar.ts";
import type { ResultRow } from "./engine.ts";

/**
 * The impressions of some 100 million outcomes fit, to be joined with them, and the process stays below 6 GB. Of a small
 * machine, or of a container's memory, no more than half.
 */
const memoryMibMax = 4_096;

function memoryMib(): number {
  const machine = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return Math.min(memoryMibMax, Math.floor(machine / 2 / 1_048_576));
}

/** A DuckDB of its own, in memory, gone after `work`. What outgrows its memory goes to a temporary folder. */
export async function withScratchDatabase<T>(
  options: { readonly threads?: number | undefined },
  work: (database: DuckDBConnection) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder("analysis", (overflow) =>
    withDatabase({ ...options, overflow, memoryMib: memoryMib() }, work),
  );
}

export async function rowsIn(database: DuckDBConnection, query: string): Promise<ResultRow[]> {
  return (await database.runAndReadAll(query)).getRowObjectsJson() as ResultRow[];
}

/** The only row of an aggregate without groups. */
export async function rowIn(database: DuckDBConnection, query: string): Promise<ResultRow> {
  return (await rowsIn(database, query))[0] ?? {};
}
