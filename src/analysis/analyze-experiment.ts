import type { DuckDBConnection } from "@duckdb/node-api";
import { invalidArgument } from "../domain/error.ts";
import type { Experiment, Metric } from "../domain/experiment.ts";
import type { LogRecord } from "../domain/ports.ts";
import { fetchArmMoments } from "./arm-moments.ts";
import { assembleReport } from "./assemble.ts";
import { type Ingested, loadLog } from "./log-tables.ts";
import type { AnalysisReport } from "./report.ts";
import { numberIn, rowOf, rowsOf, withWarehouse } from "./warehouse.ts";

export interface ExperimentAnalysis {
  readonly experiment: Experiment;
  /** The log in its order; read once, streamed. */
  readonly records: AsyncIterable<LogRecord>;
  /** Intervals have the level `1 - alpha`; in (0, 1). */
  readonly alpha: number;
  readonly asOf: Date;
}

/**
 * The analysis of one experiment's current phase. One row a unit: an outcome counts where it answers an item that
 * was shown by a request of this phase, or where its unit did it once it was exposed in this phase; a unit without
 * outcomes counts with 0. A unit that was forced into an arm in this phase does not count, whatever it was shown before
 * or after; units seen in two arms are left out and reported; a request or outcome logged twice counts once, as it first
 * came.
 * A degraded impression stays in its arm (intention to treat). The same log gives the same report, digit for digit.
 * @throws {SetlistError} INVALID_ARGUMENT for an interleaving, in which no unit has an arm.
 */
export async function analyzeExperiment(input: ExperimentAnalysis): Promise<AnalysisReport> {
  const { experiment } = input;
  if (experiment.kind === "interleave") {
    throw invalidArgument(
      `${experiment.id}: expected an experiment of kind ab, got interleave: both its arms have a part in every answer, so that comparing units by arm says nothing; docs/interleaving.md says what the log has of each answer`,
    );
  }
  // One thread: sums of fractions depend on their order in the last digit, and loading takes most of the time.
  return withWarehouse({ threads: 1 }, async (warehouse) => {
    const ingested = await loadLog(warehouse, experiment, input.records);
    const repeated = await buildUnits(warehouse, ingested);
    const arms = await armCounts(warehouse, experiment);
    const totals = await rowOf(warehouse, totalsSql);
    const moments = await fetchArmMoments(
      warehouse,
      "units LEFT JOIN unit_outcomes USING (unit) WHERE NOT crossed",
      experiment.metrics.map((metric) => ({
        y: unitValue(metric, ingested.types.indexOf(metric.outcome)),
        x: "0",
      })),
      experiment.arms.length,
    );
    return assembleReport({
      experiment: experiment.id,
      phase: experiment.phase,
      asOf: input.asOf,
      alpha: input.alpha,
      unit: experiment.unit,
      arms: arms.map(({ arm, units, impressions }) => ({ arm, units, impressions })),
      weights: experiment.arms.map((arm) => arm.weight),
      control: experiment.arms.findIndex((arm) => arm.control),
      measures: experiment.metrics.map((metric, i) => ({
        metric: metric.id,
        type: metric.type,
        role: metric.role,
        goal: metric.goal,
        covariate: undefined,
        moments: moments[i] ?? [],
      })),
      excludedUnits: numberIn(totals, "crossed"),
      unmatchedOutcomes: numberIn(totals, "unmatched"),
      warnings: warningsOf(experiment, ingested, arms, { ...totals, repeated }),
    });
  });
}

/**
 * `rowid` is the order in which rows were appended, which is the log's.
 * @returns how many impressions repeated a request of this experiment, and were left out.
 */
async function buildUnits(warehouse: DuckDBConnection, { types }: Ingested): Promise<number> {
  // Within the experiment only: a page may ask two surfaces under one request id.
  const repeated = await warehouse.run(`
    DELETE FROM impressions WHERE arm IS NOT NULL
      AND rowid NOT IN (SELECT min(rowid) FROM impressions WHERE arm IS NOT NULL GROUP BY request)`);
  await warehouse.run(`
    CREATE TABLE units AS
    SELECT unit, min(arm) AS arm, min(arm) <> max(arm) AS crossed,
           count(*)::DOUBLE AS impressions, sum(fallback)::DOUBLE AS fallbacks, min(shown_at) AS exposed
    FROM impressions WHERE arm IS NOT NULL AND unit NOT IN (SELECT unit FROM forced) GROUP BY unit`);
  // An outcome of a request that counts for no arm of this experiment is somebody else's: neither matched nor not.
  await warehouse.run(`
    CREATE TABLE answered AS
    SELECT unit, type, value, coalesce(list_contains(items, item), false) AS shown
    FROM (SELECT * FROM outcomes WHERE rowid IN (SELECT min(rowid) FROM outcomes GROUP BY id))
    LEFT JOIN (SELECT *, true AS known FROM impressions) USING (request)
    WHERE known IS NULL OR arm IS NOT NULL`);
  // What a user did, wherever: it can be the arm's doing only once it has been exposed to it.
  await warehouse.run(`
    CREATE TABLE counted AS
    SELECT unit, type, value FROM answered WHERE shown
    UNION ALL
    SELECT unit, type, value
    FROM (SELECT * FROM tracked WHERE rowid IN (SELECT min(rowid) FROM tracked GROUP BY id))
    JOIN units USING (unit) WHERE occurred_at >= exposed`);
  const columns = types.flatMap((_, type) => [
    `count(*) FILTER (type = ${type}) AS count${type}`,
    `sum(value) FILTER (type = ${type}) AS sum${type}`,
  ]);
  await warehouse.run(`
    CREATE TABLE unit_outcomes AS
    SELECT ${["unit", ...columns].join(", ")} FROM counted GROUP BY unit`);
  return repeated.rowsChanged;
}

const totalsSql = `
  SELECT (SELECT count(*) FROM units WHERE crossed)::DOUBLE AS crossed,
         (SELECT count(*) FROM answered WHERE NOT shown)::DOUBLE AS unmatched`;

/** Outcomes of the metric's type, folded over one unit; 0 where there are none. */
function unitValue(metric: Metric, type: number): string {
  const count = `coalesce(count${type}, 0)`;
  if (metric.type === "proportion" || metric.aggregate === "any") return `(${count} > 0)::DOUBLE`;
  return metric.aggregate === "count" ? `${count}::DOUBLE` : `coalesce(sum${type}, 0)`;
}

interface ArmTotals {
  readonly arm: string;
  readonly units: number;
  readonly impressions: number;
  readonly fallbacks: number;
}

async function armCounts(warehouse: DuckDBConnection, experiment: Experiment): Promise<ArmTotals[]> {
  const rows = await rowsOf(
    warehouse,
    `SELECT arm::INTEGER AS arm, count(*)::DOUBLE AS units, sum(impressions) AS impressions,
            sum(fallbacks) AS fallbacks FROM units WHERE NOT crossed GROUP BY arm`,
  );
  const byArm = new Map(rows.map((row) => [Number(row["arm"]), row]));
  return experiment.arms.map((arm, place) => {
    const row = byArm.get(place) ?? {};
    return {
      arm: arm.id,
      units: numberIn(row, "units"),
      impressions: numberIn(row, "impressions"),
      fallbacks: numberIn(row, "fallbacks"),
    };
  });
}

function warningsOf(
  experiment: Experiment,
  ingested: Ingested,
  arms: readonly ArmTotals[],
  totals: Awaited<ReturnType<typeof rowOf>>,
): string[] {
  const warnings: string[] = [];
  const crossed = numberIn(totals, "crossed");
  const unmatched = numberIn(totals, "unmatched");
  if (arms.every((arm) => arm.units === 0)) {
    warnings.push(
      `No data: the log holds no impression of ${experiment.id} in phase ${experiment.phase}` +
        `${experiment.status === "running" ? "" : `, and the experiment is ${experiment.status}`}.`,
    );
  }
  if (crossed > 0) {
    warnings.push(
      `${crossed} ${crossed === 1 ? "unit was" : "units were"} seen in more than one arm: left out.`,
    );
  }
  if (unmatched > 0) {
    warnings.push(
      `${unmatched} ${unmatched === 1 ? "outcome answers" : "outcomes answer"} no known request, or an item that ` +
        "was not shown: not counted.",
    );
  }
  const repeated = numberIn(totals, "repeated");
  if (repeated > 0) {
    warnings.push(
      `${repeated} ${repeated === 1 ? "impression repeats" : "impressions repeat"} the request id of an earlier one: ` +
        "not counted.",
    );
  }
  for (const [arm, models] of ingested.modelsOfArms) {
    if (models.size < 2) continue;
    warnings.push(
      `Arm ${arm} was served by ${[...models].sort().join(" and ")} in this phase: name the arm's model version, so ` +
        "that a new one starts a new phase.",
    );
  }
  if (ingested.impressionsOfOtherPhases > 0) {
    warnings.push(
      `${ingested.impressionsOfOtherPhases} impressions belong to other phases of the experiment: not counted.`,
    );
  }
  if (ingested.impressionsOfUnknownArms > 0) {
    warnings.push(
      `${ingested.impressionsOfUnknownArms} impressions carry an arm that the experiment does not have: not counted.`,
    );
  }
  for (const { arm, impressions, fallbacks } of arms) {
    if (fallbacks === 0) continue;
    warnings.push(
      `Arm ${arm}: ${fallbacks} of ${impressions} impressions were answered without its model; they stay in the arm.`,
    );
  }
  return warnings;
}
