/** Any table's exact moments, and what they measure of each arm. */

import type { DuckDBConnection } from "@duckdb/node-api";
import { invalidArgument } from "../domain/error.ts";
import { counted } from "../domain/number-text.ts";
import { nearest } from "../schema/schema.ts";
import { duckDbDialect } from "./duckdb-dialect.ts";
import type { ResultRow } from "./engine.ts";
import { momentsIn, momentsQuery, pairsWithin, skewedIn } from "./exact-moments.ts";
import { type MeasuredCovariate, measureOf, type Places, placesAmong, variablesOf } from "./measure.ts";
import type { Measured } from "./measured.ts";
import { rowsIn, withScratchDatabase } from "./scratch-database.ts";
import { openTableFile } from "./table-file.ts";
import { existing, metricColumns, type TableMetric } from "./table-metric.ts";
import { buildTableUnits, type ReadColumn, type TableUnits } from "./table-units.ts";

export interface TableQuestion {
  /** A CSV (with a header) or Parquet file, one row a unit or one row an event of a unit. */
  readonly file: string;
  /** Columns. */
  readonly unit: string;
  readonly arm: string;
  /** The value of `arm` that stands for control. */
  readonly control: string;
  readonly metrics: readonly TableMetric[];
  /** By metric name: columns with what was known of the unit before its first exposure, for CUPED. */
  readonly covariates: ReadonlyMap<string, readonly string[]>;
  /** Metrics of which less is better. */
  readonly decrease?: readonly string[] | undefined;
  /** By arm; equal where undefined. */
  readonly weights: ReadonlyMap<string, number> | undefined;
}

export interface MeasuredTable {
  /** Control first, the others in the order of their names. */
  readonly arms: TableUnits["arms"];
  readonly weights: readonly number[];
  /** Units in several arms, which are left out. */
  readonly crossed: number;
  readonly measured: Measured;
  readonly warnings: readonly string[];
}

/** @throws {SetlistError} INVALID_ARGUMENT a sentence that names the file, column or value and the nearest valid one. */
export function measuredTable(question: TableQuestion): Promise<MeasuredTable> {
  return withScratchDatabase({}, async (database) => {
    const table = await openTableFile(database, question.file);
    const unit = existing(question.unit, table.columns, "--unit");
    const arm = existing(question.arm, table.columns, "--arm");
    const { layouts, columns } = layoutsOf(question, table.columns);
    const units = await buildTableUnits(database, question.file, table, { unit, arm }, columns);
    const { arms, weights } = armsOf(question, units);
    const rows = await momentRows(database, columns, layouts, arms);
    const measured = measuredIn(rows, layouts, arms.length, question.decrease ?? []);
    return { arms, weights, crossed: units.crossed, measured, warnings: warningsOf(columns, units) };
  });
}

/** Where a metric's columns stand among those that are read. */
interface TableLayout extends Places {
  readonly metric: TableMetric;
  readonly covariate: Pick<MeasuredCovariate, "covariate" | "isNamed"> | undefined;
}

function layoutsOf(
  { metrics, covariates }: TableQuestion,
  existingColumns: readonly string[],
): { readonly layouts: readonly TableLayout[]; readonly columns: readonly ReadColumn[] } {
  const columns: ReadColumn[] = [];
  const read = (column: string, fold: ReadColumn["fold"]): number => {
    const place = columns.findIndex((one) => one.column === column && one.fold === fold);
    return place < 0 ? columns.push({ column, fold }) - 1 : place;
  };
  const layouts = metrics.map((metric): TableLayout => {
    const { y, x } = metricColumns(metric, existingColumns);
    const named = covariates.get(metric.name) ?? [];
    return {
      metric,
      covariate: named.length === 0 ? undefined : { covariate: named.join(", "), isNamed: true },
      numerator: read(y, metric.kind === "proportion" ? "any" : "sum"),
      denominator: x === undefined ? undefined : read(x, "sum"),
      covariates: named.map((column) =>
        read(existing(column, existingColumns, `covariate of ${metric.name}`), "covariate"),
      ),
    };
  });
  return { layouts, columns };
}

/** Control first, then the others; an arm that has a weight but no units stays, since that is what SRM looks for. */
function armsOf(
  { control, weights }: TableQuestion,
  units: TableUnits,
): Pick<MeasuredTable, "arms" | "weights"> {
  const seen = units.arms.map((one) => one.arm);
  if (!seen.includes(control)) {
    throw invalidArgument(`control: no arm ${JSON.stringify(control)} in the table${nearest(control, seen)}`);
  }
  const named = [...(weights?.keys() ?? [])];
  const unweighted = seen.find((arm) => weights !== undefined && !named.includes(arm));
  if (unweighted !== undefined) {
    throw invalidArgument(`weights: expected one for arm ${JSON.stringify(unweighted)}, which the table has`);
  }
  const absent = named.filter((arm) => !seen.includes(arm)).map((arm) => ({ arm, units: 0, rows: 0 }));
  const others = [...units.arms, ...absent].filter((one) => one.arm !== control);
  const arms = [...units.arms.filter((one) => one.arm === control), ...others];
  return { arms, weights: arms.map((one) => weights?.get(one.arm) ?? 1) };
}

/** As `momentsQuery` answers: of each metric's columns, and of each numerator its skewness. */
async function momentRows(
  database: DuckDBConnection,
  columns: readonly ReadColumn[],
  layouts: readonly TableLayout[],
  arms: TableUnits["arms"],
): Promise<ResultRow[]> {
  const places = arms.map((one, place) => `WHEN ${duckDbDialect.text(one.arm)} THEN ${place}`).join(" ");
  const values = columns.map(({ fold }, i) =>
    fold === "covariate" ? `coalesce(c${i}, avg(c${i}) OVER (), 0) AS v${i}` : `c${i} AS v${i}`,
  );
  const units = `(SELECT CASE arm ${places} END AS arm, ${values.join(", ")} FROM table_units WHERE NOT crossed)`;
  const skewed = [...new Set(layouts.map(({ numerator }) => numerator))];
  return rowsIn(database, momentsQuery(units, columns.length, pairsWithin(layouts.map(variablesOf)), skewed));
}

function measuredIn(
  rows: readonly ResultRow[],
  layouts: readonly TableLayout[],
  arms: number,
  decrease: readonly string[],
): Measured {
  return {
    measures: layouts.map((layout) => {
      const own = variablesOf(layout);
      const head = {
        metric: layout.metric.name,
        type: layout.metric.kind,
        role: "primary",
        goal: decrease.includes(layout.metric.name) ? "decrease" : "increase",
      } as const;
      return measureOf(head, momentsIn(rows, own, arms), placesAmong(own, layout), layout.covariate);
    }),
    pasts: layouts
      .filter(({ covariates }) => covariates.length > 0)
      .map(({ metric, covariates }) => ({
        metric: metric.name,
        estimates: undefined,
        covariates: momentsIn(rows, covariates, arms),
      })),
    skewed: layouts.map(({ metric, numerator }) => ({
      metric: metric.name,
      arms: skewedIn(rows, numerator, arms),
    })),
    strata: { days: [], surfaces: [], latencies: [] },
    exposed: [],
    timings: [],
  };
}

function warningsOf(columns: readonly ReadColumn[], units: TableUnits): string[] {
  const warnings: string[] = [];
  if (units.rowsWithoutUnit > 0) {
    warnings.push(`${units.rowsWithoutUnit} of ${units.rows} rows name no unit or no arm: left out.`);
  }
  if (units.crossed > 0) {
    warnings.push(`${counted(units.crossed, "unit is", "units are")} in more than one arm: left out.`);
  }
  for (const [i, { column, fold }] of columns.entries()) {
    const empty = units.empty[i] ?? 0;
    if (empty === 0) continue;
    const read = fold === "covariate" ? "they take the mean of the others" : "they count as 0";
    warnings.push(`Column ${column} is empty in ${empty} of ${units.rows} rows: ${read}.`);
  }
  return warnings;
}
