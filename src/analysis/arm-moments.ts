import type { DuckDBConnection } from "@duckdb/node-api";
import { type CrossMoments, noCrossMoments } from "../statistics/statistics.ts";
import { numberIn, type Row, rowsOf } from "./warehouse.ts";

/** Two SQL expressions over a table with one row a unit: the value, and the covariate or denominator, or `0`. */
export interface UnitExpression {
  readonly y: string;
  readonly x: string;
}

/**
 * The moments of each expression in each arm: `[expressions][arms]`. `source` is the FROM clause of the table with
 * one row a unit; its `arm` holds the arm's place. An arm without units has no moments. DuckDB's variances and
 * covariances are Welford's, so a large mean costs no digits.
 */
export async function fetchArmMoments(
  warehouse: DuckDBConnection,
  source: string,
  expressions: readonly UnitExpression[],
  arms: number,
): Promise<CrossMoments[][]> {
  const columns = expressions.flatMap(({ x, y }, i) => [
    `avg(${bounded(x)}) AS x${i}`,
    `avg(${bounded(y)}) AS y${i}`,
    `var_pop(${bounded(x)}) AS xx${i}`,
    `var_pop(${bounded(y)}) AS yy${i}`,
    `covar_pop(${bounded(y)}, ${bounded(x)}) AS xy${i}`,
    `count(${bounded(x)}) + count(${bounded(y)}) < count(${x}) + count(${y}) AS overflows${i}`,
  ]);
  const select = ["arm::INTEGER AS arm", "count(*)::DOUBLE AS units", ...columns].join(", ");
  const rows = await rowsOf(warehouse, `SELECT ${select} FROM ${source} GROUP BY arm`);
  const byArm = new Map(rows.map((row) => [Number(row["arm"]), row]));
  return expressions.map((_, i) =>
    Array.from({ length: arms }, (_, arm) => {
      const row = byArm.get(arm);
      return row === undefined ? noCrossMoments : momentsIn(row, i);
    }),
  );
}

/** Squares of larger values leave a double's range, and DuckDB would end the whole query. */
const magnitudeMax = 1e120;

/** NULL, which no aggregate sees, where a value is too large to be squared. */
function bounded(expression: string): string {
  return `CASE WHEN abs(${expression}) < ${magnitudeMax} THEN ${expression} END`;
}

function momentsIn(row: Row, i: number): CrossMoments {
  const count = numberIn(row, "units");
  // The statistics answer infinite moments with their reason; the other metrics keep their answers.
  if (row[`overflows${i}`] === true) return { ...noCrossMoments, count, meanY: Number.POSITIVE_INFINITY };
  return {
    count,
    meanX: numberIn(row, `x${i}`),
    meanY: numberIn(row, `y${i}`),
    m2X: numberIn(row, `xx${i}`) * count,
    m2Y: numberIn(row, `yy${i}`) * count,
    cXY: numberIn(row, `xy${i}`) * count,
  };
}
