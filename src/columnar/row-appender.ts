import { type DuckDBAppender, DuckDBDataChunk, type DuckDBType } from "@duckdb/node-api";
import bindings from "@duckdb/node-bindings";
import { type Cell, type ColumnWriter, columnWriter } from "./column-writer.ts";
import type { Staging } from "./database.ts";

/** DuckDB's chunks hold at most 2,048 rows. */
const chunkRows = 2_048;

/** Rows into one table, by the chunk. */
export class RowAppender {
  readonly #appender: DuckDBAppender;
  readonly #types: readonly DuckDBType[];
  readonly #columns: readonly ColumnWriter[];
  #rows = 0;

  private constructor(appender: DuckDBAppender, types: readonly DuckDBType[]) {
    this.#appender = appender;
    this.#types = types;
    this.#columns = types.map(columnWriter);
  }

  /** @param types of the table's columns, in their order. */
  static async open(staging: Staging, table: string, types: readonly DuckDBType[]): Promise<RowAppender> {
    return new RowAppender(await staging.createAppender(table), types);
  }

  /** The values are copied: `row` may be used again. */
  append(row: readonly Cell[]): void {
    for (let column = 0; column < row.length; column++)
      (this.#columns[column] as ColumnWriter).append(row[column]);
    this.#rows += 1;
    if (this.#rows === chunkRows) this.#flush();
  }

  close(): void {
    if (this.#rows > 0) this.#flush();
    this.#appender.closeSync();
  }

  #flush(): void {
    const { chunk } = DuckDBDataChunk.create(this.#types, this.#rows);
    for (const [place, column] of this.#columns.entries())
      column.flush(bindings.data_chunk_get_vector(chunk, place));
    this.#appender.appendDataChunk(new DuckDBDataChunk(chunk));
    this.#rows = 0;
  }
}
