import { totalmem } from "node:os";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { withDatabase, withTemporaryFolder } from "../columnar/columnar.ts";

export { identifier, literal } from "../columnar/columnar.ts";

export type Row = Record<string, DuckDBValue>;

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
export async function withWarehouse<T>(
  options: { readonly threads?: number | undefined },
  work: (warehouse: DuckDBConnection) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder("analysis", (overflow) =>
    withDatabase({ ...options, overflow, memoryMib: memoryMib() }, work),
  );
}

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
