import { DOUBLE, type DuckDBType, VARCHAR } from "@duckdb/node-api";
import {
  type Cell,
  identifier,
  literal,
  type Partitioned,
  partitionDate,
  RowAppender,
  type Staging,
} from "../columnar/columnar.ts";
import type { LogSegment } from "../domain/log-reading.ts";
import type { LogRecord } from "../domain/outcome-log.ts";
import {
  type Column,
  counterfactualColumns,
  INSTANT,
  impressionColumns,
  type LogTable,
  outcomeColumns,
  shadowColumns,
} from "./log-columns.ts";

/** How many records of each kind a segment has. Markers from before there were comparisons do not count them. */
export interface SegmentFacts extends Readonly<Record<LogTable, number>> {
  /** The latest time that the server wrote into a record, ms since 1970, UTC; markers of before do not say it. */
  readonly lastAt?: number;
}

/** What every marker says. */
export const markerCounts = ["impressions", "outcomes"] as const;

/** Reads a segment into `staging`; answers what is to be written of it, and what it holds. */
export async function stageSegment(
  staging: Staging,
  segment: Pick<LogSegment, "read">,
): Promise<{ readonly tables: readonly Partitioned[]; readonly facts: SegmentFacts }> {
  const impressions = await TableRows.open(staging, "impressions", impressionColumns);
  const outcomes = await TableRows.open(staging, "outcomes", outcomeColumns);
  const shadows = await TableRows.open(staging, "shadows", shadowColumns);
  const counterfactuals = await TableRows.open(staging, "counterfactuals", counterfactualColumns);
  let lastAt = 0;
  const append = (record: LogRecord): void => {
    lastAt = Math.max(lastAt, record.kind === "outcome" ? record.receivedAt : record.at);
    if (record.kind === "impression") impressions.append(record, record.at);
    else if (record.kind === "outcome") outcomes.append(record, record.occurredAt);
    else if (record.kind === "shadow") shadows.append(record, record.at);
    else counterfactuals.append(record, record.at);
  };
  for await (const records of segment.read()) for (const record of records) append(record);
  const tables = [impressions, outcomes, shadows, counterfactuals];
  for (const table of tables) table.close();
  return {
    tables: tables.map((table) => table.partitioned()),
    facts: {
      impressions: impressions.count,
      outcomes: outcomes.count,
      shadows: shadows.count,
      counterfactuals: counterfactuals.count,
      lastAt,
    },
  };
}

/** No column of ours has such a name. */
const dateColumn = "$date";

/** One kind of record on its way into the staging database. */
class TableRows<Record> {
  count = 0;
  readonly #name: LogTable;
  readonly #columns: readonly Column<Record>[];
  readonly #rows: RowAppender;
  readonly #row: Cell[];
  readonly #dates = new Set<string>();

  private constructor(name: LogTable, columns: readonly Column<Record>[], rows: RowAppender) {
    this.#name = name;
    this.#columns = columns;
    this.#rows = rows;
    this.#row = new Array(columns.length + 1).fill(null);
  }

  static async open<Record>(
    staging: Staging,
    name: LogTable,
    columns: readonly Column<Record>[],
  ): Promise<TableRows<Record>> {
    const types = [VARCHAR, ...columns.map(stagedType)];
    const names = [dateColumn, ...columns.map((column) => column.name)];
    const defined = names.map((column, place) => `${identifier(column)} ${types[place]}`);
    await staging.run(`CREATE TABLE ${name} (${defined.join(", ")})`);
    return new TableRows(name, columns, await RowAppender.open(staging, name, types));
  }

  /** @param at the instant whose day is the record's partition. */
  append(record: Record, at: number): void {
    const date = partitionDate(at);
    this.#dates.add(date);
    this.count += 1;
    const row = this.#row;
    row[0] = date;
    for (let place = 0; place < this.#columns.length; place++)
      row[place + 1] = (this.#columns[place] as Column<Record>).of(record);
    this.#rows.append(row);
  }

  close(): void {
    this.#rows.close();
  }

  /**
   * In the order of the log, which is that of the server's clock but for requests that overlapped; outcomes, whose clock
   * is the client's, by that.
   */
  partitioned(): Partitioned {
    const columns = this.#columns.map(publishedColumn).join(", ");
    const order = this.#name === "outcomes" ? "ORDER BY occurred_at, rowid" : "";
    return {
      folder: this.#name,
      dates: [...this.#dates].sort(),
      rows: (date) =>
        `SELECT ${columns} FROM ${this.#name} WHERE ${identifier(dateColumn)} = ${literal(date)} ${order}`,
    };
  }
}

function stagedType({ type }: Pick<Column<never>, "type">): DuckDBType {
  return type === INSTANT ? DOUBLE : type;
}

function publishedColumn({ name, type }: Pick<Column<never>, "name" | "type">): string {
  const column = identifier(name);
  return type === INSTANT ? `make_timestamp((${column} * 1000)::BIGINT) AS ${column}` : column;
}
