import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { withDatabase, withTemporaryFolder } from "../columnar/columnar.ts";

export { identifier, literal } from "../columnar/columnar.ts";

export type Row = Record<string, DuckDBValue>;

/** A DuckDB of its own, in memory, gone after `work`. What outgrows its memory goes to a temporary folder. */
export async function withWarehouse<T>(
  options: { readonly threads?: number | undefined },
  work: (warehouse: DuckDBConnection) => Promise<T>,
): Promise<T> {
  return withTemporaryFolder("analysis", (overflow) => withDatabase({ ...options, overflow }, work));
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
