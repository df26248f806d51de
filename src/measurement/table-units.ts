/** From the rows of a file to one row a unit, with every value checked on the way. */
import type { DuckDBConnection } from "@duckdb/node-api";
import { identifier } from "../columnar/columnar.ts";
import { invalidArgument } from "../domain/error.ts";
import { numberIn } from "./engine.ts";
import { rowIn, rowsIn } from "./scratch-database.ts";
import { readingFrom, type TableFile } from "./table-file.ts";

/** One column to be read, and how the rows of one unit fold: `covariate` by their mean, the others as they say. */
export interface ReadColumn {
  readonly column: string;
  readonly fold: "sum" | "any" | "covariate";
}

export interface TableUnits {
  readonly rows: number;
  /** Rows without a unit or an arm. */
  readonly rowsWithoutUnit: number;
  /** Per read column: rows where it is empty. */
  readonly empty: readonly number[];
  /** Arms that the table names. */
  readonly arms: readonly { readonly arm: string; readonly units: number; readonly rows: number }[];
  readonly crossed: number;
}

/** An arm column with more values than this is a unit column by mistake. */
const armsMax = 100;

/** Fills `table_units (unit, arm, rows, crossed, c0, c1, …)`, c-i being the i-th of `columns` folded over the unit. */
export async function buildTableUnits(
  database: DuckDBConnection,
  file: string,
  table: TableFile,
  names: { readonly unit: string; readonly arm: string },
  columns: readonly ReadColumn[],
): Promise<TableUnits> {
  const text = (name: string): string => `${identifier(name)}::VARCHAR`;
  const unit = `nullif(${text(names.unit)}, '')`;
  const arm = `nullif(${text(names.arm)}, '')`;
  const read = columns.map((one, i) => `${parsed(one)} AS c${i}`);
  const bad = columns.map(
    (one, i) => `(count(*) FILTER (${raw(one)} IS NOT NULL AND ${parsed(one)} IS NULL))::DOUBLE AS b${i}`,
  );
  const empty = columns.map((one, i) => `(count(*) FILTER (${raw(one)} IS NULL))::DOUBLE AS e${i}`);
  const checks = await readingFrom(file, () =>
    rowIn(
      database,
      `SELECT ${[
        "count(*)::DOUBLE AS rows",
        `(count(*) FILTER (${unit} IS NULL OR ${arm} IS NULL))::DOUBLE AS nameless`,
        `count(DISTINCT ${arm})::DOUBLE AS arms`,
        ...bad,
        ...empty,
      ].join(", ")} FROM ${table.source}`,
    ),
  );
  const rows = numberIn(checks, "rows");
  if (rows === 0) throw invalidArgument(`${file} has no rows, only a header`);
  if (numberIn(checks, "arms") > armsMax) {
    throw invalidArgument(
      `column ${JSON.stringify(names.arm)} names ${numberIn(checks, "arms")} arms, at most ${armsMax} are compared: ` +
        "is it the right column?",
    );
  }
  for (const [i, one] of columns.entries()) {
    if (numberIn(checks, `b${i}`) > 0) await refuseFirst(database, file, table, one);
  }
  await readingFrom(file, () =>
    database.run(`
    CREATE TABLE table_units AS
    SELECT ${[
      "unit",
      "min(arm) AS arm",
      "min(arm) <> max(arm) AS crossed",
      "count(*)::DOUBLE AS rows",
      ...columns.map((one, i) => `${folded(one, i)} AS c${i}`),
    ].join(", ")}
    FROM (SELECT ${[`${unit} AS unit`, `${arm} AS arm`, ...read].join(", ")} FROM ${table.source})
    WHERE unit IS NOT NULL AND arm IS NOT NULL GROUP BY unit`),
  );
  const arms = await rowsIn(
    database,
    `SELECT arm, (count(*) FILTER (NOT crossed))::DOUBLE AS units,
            coalesce(sum(rows) FILTER (NOT crossed), 0) AS rows FROM table_units GROUP BY arm ORDER BY arm`,
  );
  const crossed = await rowIn(database, "SELECT count(*)::DOUBLE AS n FROM table_units WHERE crossed");
  return {
    rows,
    rowsWithoutUnit: numberIn(checks, "nameless"),
    empty: columns.map((_, i) => numberIn(checks, `e${i}`)),
    arms: arms.map((row) => ({
      arm: String(row["arm"]),
      units: numberIn(row, "units"),
      rows: numberIn(row, "rows"),
    })),
    crossed: numberIn(crossed, "n"),
  };
}

function raw({ column }: ReadColumn): string {
  return `nullif(trim(${identifier(column)}::VARCHAR), '')`;
}

/** The value as a DOUBLE, NULL where it cannot be read. NaN and the infinities cannot. */
function parsed(one: ReadColumn): string {
  const value = raw(one);
  const number = `CASE WHEN isfinite(TRY_CAST(${value} AS DOUBLE)) THEN TRY_CAST(${value} AS DOUBLE) END`;
  const truth = `CASE lower(${value}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END`;
  if (one.fold !== "any") return `coalesce(${number}, ${truth})`;
  return `CASE WHEN (${number}) IN (0, 1) THEN ${number} ELSE ${truth} END`;
}

/** An empty cell of a metric counts as 0; a covariate's is left for the mean of the others. */
function folded({ fold }: ReadColumn, i: number): string {
  if (fold === "covariate") return `avg(c${i})`;
  return fold === "sum" ? `coalesce(sum(c${i}), 0)` : `coalesce(max(c${i}), 0)`;
}

async function refuseFirst(
  database: DuckDBConnection,
  file: string,
  table: TableFile,
  one: ReadColumn,
): Promise<never> {
  const first = await readingFrom(file, () =>
    rowIn(
      database,
      `SELECT row::DOUBLE AS row, value
     FROM (SELECT row_number() OVER () AS row, ${raw(one)} AS value, ${parsed(one)} AS parsed FROM ${table.source})
     WHERE value IS NOT NULL AND parsed IS NULL ORDER BY row LIMIT 1`,
    ),
  );
  const expected = one.fold === "any" ? "0, 1, true or false" : "a finite number";
  throw invalidArgument(
    `${file}, column ${JSON.stringify(one.column)}, row ${numberIn(first, "row")}: expected ${expected}, ` +
      `got ${JSON.stringify(String(first["value"]))}`,
  );
}
