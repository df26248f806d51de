import { basename } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { invalidArgument, UsageError } from "../domain/error.ts";
import { nearest } from "../schema/schema.ts";
import { assembleReport } from "./assemble.ts";
import { duckDbDialect } from "./duckdb-dialect.ts";
import type { ResultRow } from "./engine.ts";
import { momentsIn, momentsQuery, skewedIn } from "./exact-moments.ts";
import { count } from "./format.ts";
import { type MeasuredCovariate, measureOf, type Places } from "./measure.ts";
import { type Horizon, horizonOf } from "./plan.ts";
import type { AnalysisReport } from "./report.ts";
import { openTableFile } from "./table-file.ts";
import { existing, metricColumns, type TableMetric } from "./table-metric.ts";
import { buildTableUnits, type ReadColumn, type TableUnits } from "./table-units.ts";
import { withWarehouse } from "./warehouse.ts";

export interface TableAnalysis {
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
  /** Of all arms, fixed before the first look: the verdict waits for them. Undefined has no plan. */
  readonly plannedUnits?: number | undefined;
  readonly alpha: number;
  readonly asOf: Date;
}

/**
 * The analysis of any table. The rows of one unit become one: values are summed for a mean, a proportion is 1 where
 * any row is, a ratio's numerator and denominator are summed each, a covariate, which repeats on the rows of a unit,
 * is averaged. An empty cell counts as 0 and is reported; an empty covariate takes the mean of the others. All
 * metrics are primary, and more is better but where `decrease` names them. Control stands first, the other arms in the order of their names.
 * @throws {UsageError} where metrics, covariates and `decrease` contradict each other.
 * @throws {SetlistError} INVALID_ARGUMENT a sentence that names the file, column or value and the nearest valid one.
 */
export async function analyzeTable(input: TableAnalysis): Promise<AnalysisReport> {
  const { file, metrics } = input;
  const goalOf = (name: string) => (input.decrease?.includes(name) === true ? "decrease" : "increase");
  refuseUnknownNames(metrics, input);
  return withWarehouse({}, async (warehouse) => {
    const table = await openTableFile(warehouse, file);
    const columns: ReadColumn[] = [];
    const read = (column: string, fold: ReadColumn["fold"]): number => {
      const place = columns.findIndex((one) => one.column === column && one.fold === fold);
      return place < 0 ? columns.push({ column, fold }) - 1 : place;
    };
    const unit = existing(input.unit, table.columns, "--unit");
    const arm = existing(input.arm, table.columns, "--arm");
    const layouts = metrics.map((metric): TableLayout => {
      const { y, x } = metricColumns(metric, table.columns);
      const named = input.covariates.get(metric.name) ?? [];
      return {
        metric,
        covariate: named.length === 0 ? undefined : { covariate: named.join(", "), isNamed: true },
        numerator: read(y, metric.kind === "proportion" ? "any" : "sum"),
        denominator: x === undefined ? undefined : read(x, "sum"),
        covariates: named.map((column) =>
          read(existing(column, table.columns, `covariate of ${metric.name}`), "covariate"),
        ),
      };
    });
    const units = await buildTableUnits(warehouse, file, table, { unit, arm }, columns);
    const { arms, weights } = armsOf(input, units);
    const rows = await momentRows(warehouse, columns, layouts, arms);
    const planned = { kind: "fixed", units: input.plannedUnits } as const;
    const all = arms.reduce((sum, one) => sum + one.units, 0);
    return assembleReport({
      experiment: basename(file),
      phase: null,
      asOf: input.asOf,
      alpha: input.alpha,
      unit: input.unit,
      arms: arms.map((one) => ({ arm: one.arm, units: one.units, impressions: one.rows })),
      weights,
      control: 0,
      horizon:
        input.plannedUnits === undefined
          ? oneLook(all)
          : horizonOf(planned, all, input.asOf, input.alpha, metrics.length * (arms.length - 1)),
      measures: layouts.map(({ metric, covariate, ...places }) => {
        const head = {
          metric: metric.name,
          type: metric.kind,
          role: "primary",
          goal: goalOf(metric.name),
        } as const;
        const own = variablesOf(places);
        return measureOf(head, momentsIn(rows, own, arms.length), placesAmong(own, places), covariate);
      }),
      pasts: layouts.flatMap(({ metric, covariates }) =>
        covariates.length === 0
          ? []
          : [
              {
                metric: metric.name,
                estimates: undefined,
                covariates: momentsIn(rows, covariates, arms.length),
              },
            ],
      ),
      skewed: layouts.map(({ metric, numerator }) => ({
        metric: metric.name,
        arms: skewedIn(rows, numerator, arms.length),
      })),
      strata: { days: [], surfaces: [], latencies: [] },
      excludedUnits: units.crossed,
      unmatchedOutcomes: 0,
      lateOutcomes: 0,
      warnings: [...warningsOf(columns, units), ...beyondPlan(all, input.plannedUnits)],
    });
  });
}

/** Where a metric's columns stand among those that are read. */
interface TableLayout extends Places {
  readonly metric: TableMetric;
  readonly covariate: Pick<MeasuredCovariate, "covariate" | "isNamed"> | undefined;
}

function variablesOf({ numerator, denominator, covariates }: Places): number[] {
  return [numerator, denominator, ...covariates].filter((one) => one !== undefined);
}

function placesAmong(own: readonly number[], { numerator, denominator, covariates }: Places): Places {
  const place = (variable: number): number => own.indexOf(variable);
  return {
    numerator: place(numerator),
    denominator: denominator === undefined ? undefined : place(denominator),
    covariates: covariates.map(place),
  };
}

/** As `momentsQuery` answers: of each metric's columns, and of each numerator its skewness. */
async function momentRows(
  warehouse: DuckDBConnection,
  columns: readonly ReadColumn[],
  layouts: readonly TableLayout[],
  arms: TableUnits["arms"],
): Promise<ResultRow[]> {
  const places = arms.map((one, place) => `WHEN ${duckDbDialect.text(one.arm)} THEN ${place}`).join(" ");
  const values = columns.map(({ fold }, i) =>
    fold === "covariate" ? `coalesce(c${i}, avg(c${i}) OVER (), 0) AS v${i}` : `c${i} AS v${i}`,
  );
  const units = `(SELECT CASE arm ${places} END AS arm, ${values.join(", ")} FROM table_units WHERE NOT crossed)`;
  const pairs = new Map(
    layouts.flatMap((layout) => {
      const own = variablesOf(layout);
      return own.flatMap((i) =>
        own.filter((j) => i <= j).map((j): [string, [number, number]] => [`${i} ${j}`, [i, j]]),
      );
    }),
  );
  const skewed = [...new Set(layouts.map(({ numerator }) => numerator))];
  const query = momentsQuery(units, columns.length, [...pairs.values()], skewed);
  return (await warehouse.runAndReadAll(query)).getRowObjectsJson() as ResultRow[];
}

/** Whoever brings a table without a word about a plan has looked at it for good. */
function oneLook(units: number): Horizon {
  return {
    report: { kind: "fixed", plannedUnits: null, units, plannedEnd: null, ended: true },
    tunedUnits: undefined,
    design: undefined,
    warnings: [],
  };
}

function refuseUnknownNames(
  metrics: readonly TableMetric[],
  { covariates, decrease = [] }: TableAnalysis,
): void {
  const names = metrics.map((metric) => metric.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`metric ${twice} is given twice: give each its own name`);
  for (const name of covariates.keys()) {
    if (!names.includes(name)) throw new UsageError(`covariate: no metric ${name}${nearest(name, names)}`);
  }
  for (const name of decrease) {
    if (!names.includes(name)) throw new UsageError(`decrease: no metric ${name}${nearest(name, names)}`);
  }
}

/** Control first, then the others; an arm that has a weight but no units stays, since that is what SRM looks for. */
function armsOf(
  { control, weights }: TableAnalysis,
  units: TableUnits,
): { arms: TableUnits["arms"]; weights: number[] } {
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

/** A table says nothing of when its units came, so none can be left out as in a log. */
function beyondPlan(units: number, planned: number | undefined): string[] {
  if (planned === undefined || units <= planned) return [];
  return [
    `The table has ${count(units)} units, and one look was planned at ${count(planned)}: which came first it does not say, so the verdict is of all of them, and holds only where this is the one look.`,
  ];
}

function warningsOf(columns: readonly ReadColumn[], units: TableUnits): string[] {
  const warnings: string[] = [];
  if (units.rowsWithoutUnit > 0) {
    warnings.push(`${units.rowsWithoutUnit} of ${units.rows} rows name no unit or no arm: left out.`);
  }
  if (units.crossed > 0) {
    warnings.push(
      `${units.crossed} ${units.crossed === 1 ? "unit is" : "units are"} in more than one arm: left out.`,
    );
  }
  for (const [i, { column, fold }] of columns.entries()) {
    const empty = units.empty[i] ?? 0;
    if (empty === 0) continue;
    const read = fold === "covariate" ? "they take the mean of the others" : "they count as 0";
    warnings.push(`Column ${column} is empty in ${empty} of ${units.rows} rows: ${read}.`);
  }
  return warnings;
}
