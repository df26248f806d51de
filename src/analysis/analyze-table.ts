import { basename } from "node:path";
import { invalidArgument, UsageError } from "../domain/error.ts";
import { nearest } from "../schema/schema.ts";
import { type CrossMoments, jointOf } from "../statistics/statistics.ts";
import { fetchArmMoments } from "./arm-moments.ts";
import { assembleReport } from "./assemble.ts";
import type { MetricPast } from "./health.ts";
import { measureOf } from "./measure.ts";
import type { Horizon } from "./plan.ts";
import type { AnalysisReport } from "./report.ts";
import { openTableFile } from "./table-file.ts";
import { existing, metricColumns, type TableMetric } from "./table-metric.ts";
import { buildTableUnits, type ReadColumn, type TableUnits } from "./table-units.ts";
import { literal, withWarehouse } from "./warehouse.ts";

export interface TableAnalysis {
  /** A CSV (with a header) or Parquet file, one row a unit or one row an event of a unit. */
  readonly file: string;
  /** Columns. */
  readonly unit: string;
  readonly arm: string;
  /** The value of `arm` that stands for control. */
  readonly control: string;
  readonly metrics: readonly TableMetric[];
  /** By metric name: a column with what was known of the unit before its first exposure, for CUPED. */
  readonly covariates: ReadonlyMap<string, string>;
  /** By arm; equal where undefined. */
  readonly weights: ReadonlyMap<string, number> | undefined;
  readonly alpha: number;
  readonly asOf: Date;
}

/**
 * The analysis of any table. The rows of one unit become one: values are summed for a mean, a proportion is 1 where
 * any row is, a ratio's numerator and denominator are summed each, a covariate, which repeats on the rows of a unit,
 * is averaged. An empty cell counts as 0 and is reported; an empty covariate takes the mean of the others. All
 * metrics are primary. Control stands first, the other arms in the order of their names.
 * @throws {UsageError} where metrics and covariates contradict each other.
 * @throws {SetlistError} INVALID_ARGUMENT a sentence that names the file, column or value and the nearest valid one.
 */
export async function analyzeTable(input: TableAnalysis): Promise<AnalysisReport> {
  const { file, metrics } = input;
  refuseUnknownNames(metrics, input.covariates);
  return withWarehouse({}, async (warehouse) => {
    const table = await openTableFile(warehouse, file);
    const columns: ReadColumn[] = [];
    const read = (column: string, fold: ReadColumn["fold"]): string => {
      columns.push({ column, fold });
      return `c${columns.length - 1}`;
    };
    const unit = existing(input.unit, table.columns, "--unit");
    const arm = existing(input.arm, table.columns, "--arm");
    const expressions = metrics.map((metric) => {
      const { y, x } = metricColumns(metric, table.columns);
      const covariate = input.covariates.get(metric.name);
      const value = read(y, metric.kind === "proportion" ? "any" : "sum");
      if (x !== undefined) return { y: value, x: read(x, "sum") };
      if (covariate === undefined) return { y: value, x: "0" };
      return {
        y: value,
        x: read(existing(covariate, table.columns, `covariate of ${metric.name}`), "covariate"),
      };
    });
    const units = await buildTableUnits(warehouse, file, table, { unit, arm }, columns);
    const { arms, weights } = armsOf(input, units);
    const places = arms.map((one, place) => `WHEN ${literal(one.arm)} THEN ${place}`).join(" ");
    const filled = columns.map(({ fold }, i) =>
      fold === "covariate" ? `coalesce(c${i}, avg(c${i}) OVER (), 0) AS c${i}` : `c${i}`,
    );
    const source = `(SELECT CASE arm ${places} END AS arm, ${filled.join(", ")} FROM table_units WHERE NOT crossed)`;
    const moments = await fetchArmMoments(warehouse, source, expressions, arms.length);
    return assembleReport({
      experiment: basename(file),
      phase: null,
      asOf: input.asOf,
      alpha: input.alpha,
      unit: input.unit,
      arms: arms.map((one) => ({ arm: one.arm, units: one.units, impressions: one.rows })),
      weights,
      control: 0,
      horizon: oneLook(arms.reduce((sum, one) => sum + one.units, 0)),
      measures: metrics.map((metric, i) => {
        const covariate = input.covariates.get(metric.name);
        // As `jointOf` has them: x before y.
        const places =
          metric.kind === "ratio"
            ? { numerator: 1, denominator: 0, covariates: [] }
            : { numerator: 1, covariates: covariate === undefined ? [] : [0] };
        return measureOf(
          { metric: metric.name, type: metric.kind, role: "primary", goal: "increase" },
          (moments[i] ?? []).map(jointOf),
          places,
          covariate === undefined ? undefined : { covariate, isNamed: true },
        );
      }),
      pasts: metrics.flatMap((metric, i) => pastOf(metric.name, moments[i] ?? [], input.covariates)),
      skewed: [],
      strata: { days: [], surfaces: [], latencies: [] },
      excludedUnits: units.crossed,
      unmatchedOutcomes: 0,
      lateOutcomes: 0,
      warnings: warningsOf(columns, units),
    });
  });
}

/** Whoever brings a table has looked at it for good: it says nothing of a plan. */
function oneLook(units: number): Horizon {
  return {
    report: { kind: "fixed", plannedUnits: null, units, plannedEnd: null, ended: true },
    tunedUnits: undefined,
    design: undefined,
    warnings: [],
  };
}

function pastOf(
  metric: string,
  moments: readonly CrossMoments[],
  covariates: TableAnalysis["covariates"],
): MetricPast[] {
  if (!covariates.has(metric)) return [];
  const alone = moments.map(({ count, meanX, m2X }) => ({ count, means: [meanX], products: [[m2X]] }));
  return [{ metric, estimates: undefined, covariates: alone }];
}

function refuseUnknownNames(metrics: readonly TableMetric[], covariates: TableAnalysis["covariates"]): void {
  const names = metrics.map((metric) => metric.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`metric ${twice} is given twice: give each its own name`);
  for (const name of covariates.keys()) {
    const metric = metrics.find((one) => one.name === name);
    if (metric === undefined) throw new UsageError(`covariate: no metric ${name}${nearest(name, names)}`);
    if (metric.kind === "ratio") {
      throw new UsageError(
        `covariate: metric ${name} is a ratio; CUPED is offered for means and proportions`,
      );
    }
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
