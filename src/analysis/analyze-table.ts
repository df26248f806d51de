import { basename } from "node:path";
import { UsageError } from "../domain/error.ts";
import { count, counted } from "../domain/number-text.ts";
import { measuredTable, type TableQuestion } from "../measurement/measurement.ts";
import { nearest } from "../schema/schema.ts";
import { assembleReport } from "./assemble.ts";
import { type Horizon, horizonOf } from "./plan.ts";
import type { AnalysisReport } from "./report.ts";

export interface TableAnalysis extends TableQuestion {
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
  const { file, alpha, asOf, plannedUnits } = input;
  refuseUnknownNames(input);
  const { arms, weights, crossed, measured, warnings } = await measuredTable(input);
  const units = arms.reduce((sum, one) => sum + one.units, 0);
  const family = input.metrics.length * (arms.length - 1);
  return assembleReport({
    ...measured,
    experiment: basename(file),
    phase: null,
    asOf,
    alpha,
    unit: input.unit,
    arms: arms.map((one) => ({ arm: one.arm, units: one.units, impressions: one.rows })),
    weights,
    control: 0,
    horizon:
      plannedUnits === undefined
        ? oneLook(units)
        : horizonOf({ kind: "fixed", units: plannedUnits }, units, asOf, alpha, family),
    excludedUnits: crossed,
    unmatchedOutcomes: 0,
    lateOutcomes: 0,
    warnings: [...warnings, ...beyondPlan(units, plannedUnits)],
  });
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

function refuseUnknownNames({ metrics, covariates, decrease = [] }: TableAnalysis): void {
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

/** A table says nothing of when its units came, so none can be left out as in a log. */
function beyondPlan(units: number, planned: number | undefined): string[] {
  if (planned === undefined || units <= planned) return [];
  return [
    `The table has ${counted(units, "unit")}, and one look was planned at ${count(planned)}: which came first it does not say, so the verdict is of all of them, and holds only where this is the one look.`,
  ];
}
