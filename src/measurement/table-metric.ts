/** A table's metrics as a person writes them, `NAME=COL:KIND`, and the columns that they turn out to mean. */
import { invalidArgument } from "../domain/error.ts";
import type { Metric } from "../domain/experiment.ts";
import { nearest } from "../schema/schema.ts";

const kinds: readonly Metric["type"][] = ["mean", "proportion", "ratio"];

/** `source` is one column, or `NUM/DEN` for a ratio. */
export interface TableMetric {
  readonly name: string;
  readonly source: string;
  readonly kind: Metric["type"];
}

export interface MetricColumns {
  readonly y: string;
  /** A ratio's denominator. */
  readonly x: string | undefined;
}

/** The name ends at the first `=`, the kind starts at the last `:`; a column's name may hold both. */
export function parseTableMetric(text: string): TableMetric {
  const [name, rest] = splitAt(text, text.indexOf("="));
  const [source, kindText] = splitAt(rest, rest.lastIndexOf(":"));
  if (name === "" || source === "" || kindText === "") {
    throw invalidArgument(
      `metric ${JSON.stringify(text)}: expected NAME=COLUMN:mean, NAME=COLUMN:proportion or NAME=NUM/DEN:ratio`,
    );
  }
  const kind = kinds.find((one) => one === kindText);
  if (kind === undefined) {
    throw invalidArgument(
      `metric ${name}: unknown kind ${JSON.stringify(kindText)}${nearest(kindText, kinds)}`,
    );
  }
  if (kind === "ratio" && !source.slice(1, -1).includes("/")) {
    throw invalidArgument(
      `metric ${name}: a ratio needs two columns, NUM/DEN, got ${JSON.stringify(source)}`,
    );
  }
  return { name, source, kind };
}

/**
 * The columns of a metric among those of the table. A slash may be part of a column's name: of several places to
 * split a ratio, the first one that gives two existing columns counts.
 */
export function metricColumns(metric: TableMetric, columns: readonly string[]): MetricColumns {
  const what = `metric ${metric.name}`;
  if (metric.kind !== "ratio") return { y: existing(metric.source, columns, what), x: undefined };
  const splits = [...metric.source.matchAll(/\//g)].map(({ index }) => splitAt(metric.source, index));
  const fitting = splits.find(([y, x]) => columns.includes(y) && columns.includes(x)) ?? splits[0];
  const [y, x] = fitting ?? ["", ""];
  return { y: existing(y, columns, what), x: existing(x, columns, what) };
}

/** The column itself. @throws {SetlistError} INVALID_ARGUMENT naming the nearest where there is none of the name. */
export function existing(column: string, columns: readonly string[], what: string): string {
  if (columns.includes(column)) return column;
  throw invalidArgument(
    `${what}: no column ${JSON.stringify(column)} in the table${nearest(column, columns)}`,
  );
}

function splitAt(text: string, index: number): [before: string, after: string] {
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + 1)];
}
