import { type DuckDBAppender, DuckDBDataChunk, type DuckDBType, type DuckDBValue } from "@duckdb/node-api";
import type { Staging } from "./database.ts";

/** DuckDB's chunks hold at most 2,048 rows. */
const chunkRows = 2_048;

/** Rows into one table, by the chunk: row by row, lists take four times as long. */
export class RowAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly DuckDBType[];
  #columns: DuckDBValue[][];

  private constructor(appender: DuckDBAppender, types: readonly DuckDBType[]) {
    this.#appender = appender;
    this.#types = types;
    this.#columns = types.map(() => []);
  }

  /** @param types of the table's columns, in their order. */
  static async open(staging: Staging, table: string, types: readonly DuckDBType[]): Promise<RowAppender> {
    return new RowAppender(await staging.createAppender(table), types);
  }

  /** The values are copied: `row` may be used again. */
  append(row: readonly DuckDBValue[]): void {
    for (let column = 0; column < row.length; column++) {
      (this.#columns[column] as DuckDBValue[]).push(row[column] as DuckDBValue);
    }
    if (this.#columns[0]?.length === chunkRows) this.#flush();
  }

  close(): void {
    if (this.#columns[0]?.length !== 0) this.#flush();
    this.#appender.closeSync();
  }

  #flush(): void {
    const chunk = DuckDBDataChunk.create(this.#types);
    chunk.setColumns(this.#columns);
    this.#appender.appendDataChunk(chunk);
    this.#columns = this.#types.map(() => []);
  }
}
