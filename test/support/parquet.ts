import { DuckDBInstance } from "@duckdb/node-api";

/** The rows of a query over files, by a DuckDB of its own. */
export async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The values of one column of files; none where there are no files. */
export async function columnOf(column: string, files: readonly string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const list = files.map((file) => `'${file}'`).join(", ");
  const rows = await rowsOf(
    `SELECT "${column}" AS it FROM read_parquet([${list}], hive_partitioning = false, union_by_name = true)`,
  );
  return rows.map(({ it }) => String(it));
}
