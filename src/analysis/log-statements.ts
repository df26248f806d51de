/**
 * The heavy half of an analysis of the log: the join of outcomes and impressions, folded over units and then over arms, as
 * SQL that DuckDB and Spark both take (`dialect.ts` has all in which they differ). What comes out is small however
 * large the log is, and every number of it is a whole one, so that it depends neither on the order of the rows nor on
 * how many threads or machines had a part in it.
 */
import type { Experiment, Metric } from "../domain/experiment.ts";
import { durationMs } from "../experiments/experiments.ts";
import { type Dialect, type ImpressionDetail, type LogSources, type Relation, standsAt } from "./dialect.ts";
import type { ResultRow } from "./engine.ts";
import { magnitudeMax, momentsQuery } from "./exact-moments.ts";
import type { DesignQuery, LogDesign } from "./log-design.ts";

export interface LogStatements {
  /** Statements in their order; each may read what those before it made. */
  readonly prepare: readonly string[];
  /** Each answers rows of the columns that its name stands for in `LogResults`. */
  readonly queries: Readonly<Record<keyof LogResults | DesignQuery, string>>;
}

/** What the queries answer. Numbers of 64 bits and more come as texts. */
export interface LogResults {
  /** One row an arm that has units: `arm` (its place), `units`, `impressions`, `fallbacks`, `late`. */
  readonly arms: readonly ResultRow[];
  /** One row: `crossed`, `unmatched`, `repeated`. */
  readonly totals: readonly ResultRow[];
  /** Impressions by `in_phase`, `known_arm`, `arm`, `model`, `model_version`: `impressions`. */
  readonly served: readonly ResultRow[];
  /** As `momentsQuery` says. */
  readonly moments: readonly ResultRow[];
}

/** Whoever tracks has no list that shows anything; the request of what a user did is this and the user's id. */
const userPrefix = "user:";

const at = standsAt.join(", ");

/** @param designs what is asked of the same log beside the arms' means: their relations stand behind all of these. */
export function logStatements(
  dialect: Dialect,
  experiment: Experiment,
  files: LogSources,
  designs: readonly LogDesign[] = [],
): LogStatements {
  const types = typesOf(experiment);
  const details = [...new Set(designs.flatMap((design) => design.details ?? []))];
  const relations = [
    ...relationsOf(dialect, experiment, types, details),
    ...designs.flatMap((design) => design.relations),
  ];
  const compared = designs.some((design) => design.readsCounterfactuals === true);
  return {
    prepare: [
      dialect.rowsOf("impressions", files.impressions, details),
      dialect.rowsOf("outcomes", files.outcomes),
      ...(compared ? [dialect.rowsOf("counterfactuals", files.counterfactuals ?? [])] : []),
      // Two designs may ask for the same.
      ...new Set(relations.map((relation) => dialect.create(relation))),
    ],
    queries: {
      ...Object.assign({}, ...designs.map((design) => design.queries)),
      arms: `
        SELECT arm, count(*) AS units, sum(impressions) AS impressions, sum(fallbacks) AS fallbacks,
               sum(coalesce(late, 0)) AS late
        FROM units LEFT JOIN unit_outcomes ON unit_outcomes.unit = units.unit WHERE NOT crossed GROUP BY arm`,
      totals: `
        SELECT (SELECT count(*) FROM units WHERE crossed) AS crossed,
               (SELECT coalesce(sum(unmatched), 0) FROM unit_outcomes) AS unmatched,
               (SELECT count(*) FROM later_exposures) AS repeated`,
      served: `
        SELECT in_phase, place IS NOT NULL AS known_arm, arm, model, model_version, count(*) AS impressions
        FROM exposures WHERE in_phase IS NOT NULL
        GROUP BY in_phase, place IS NOT NULL, arm, model, model_version`,
      moments: momentsQuery("unit_values", experiment.metrics.length),
    },
  };
}

/** The outcomes that metrics read; a type's place here is its number in the relations. */
export function typesOf({ metrics }: Experiment): string[] {
  return [...new Set(metrics.map(({ outcome }) => outcome))];
}

function relationsOf(
  dialect: Dialect,
  experiment: Experiment,
  types: readonly string[],
  details: readonly ImpressionDetail[],
): Relation[] {
  const view = (name: string, query: string): Relation => ({ name, query, kept: false });
  const table = (name: string, query: string): Relation => ({ name, query, kept: true });
  const places = experiment.arms.map((arm, place) => `WHEN ${dialect.text(arm.id)} THEN ${place}`).join(" ");
  const own = dialect.firstWhere("assignments", "one", `one.experiment = ${dialect.text(experiment.id)}`);
  const more = details.map((detail) => `, ${detail}`).join("");
  return [
    // `arm` is NULL where the impression does not count for this experiment, `in_phase` where it was no part of it.
    view(
      "exposures",
      `SELECT request, shown_at, model, model_version, items, ${at}, unit, in_phase, overridden, propensity, place,
              fallback${more},
              CASE WHEN in_phase AND NOT overridden THEN place END AS arm
       FROM (SELECT request, shown_at, model, model_version, items, ${at}, assignment.unit AS unit,
                    assignment.phase = ${experiment.phase} AS in_phase, assignment.overridden AS overridden,
                    assignment.propensity AS propensity${more},
                    CASE assignment.arm ${places} END AS place,
                    CASE WHEN model IS NULL AND candidate_count <> 0 THEN 1 ELSE 0 END AS fallback
             FROM (SELECT *, ${own} AS assignment FROM impressions) assigned) placed`,
    ),
    // Within the experiment only: a page may ask two surfaces under one request id.
    ...laterOnes(dialect, { rows: "exposures", id: "request", where: "arm IS NOT NULL" }),
    view(
      "first_exposures",
      `SELECT request, shown_at, items, unit, fallback, arm, propensity, exposures.log_path, exposures.log_row,
              exposures.log_file${more}
       FROM exposures ANTI JOIN later_exposures
       ON exposures.log_path = later_exposures.log_path AND exposures.log_row = later_exposures.log_row`,
    ),
    table("forced", "SELECT DISTINCT unit FROM exposures WHERE in_phase AND overridden"),
    table(
      "units",
      `SELECT unit, min(arm) AS arm, min(arm) <> max(arm) AS crossed, count(*) AS impressions,
              sum(fallback) AS fallbacks, min(shown_at) AS exposed
       FROM first_exposures
       WHERE arm IS NOT NULL AND NOT EXISTS (SELECT 1 FROM forced WHERE forced.unit = first_exposures.unit)
       GROUP BY unit`,
    ),
    ...laterOnes(dialect, { rows: "outcomes", id: "outcome", where: "true" }),
    view(
      "first_outcomes",
      `SELECT request, item, ${typePlace(dialect, types)} AS type, value, occurred_at
       FROM outcomes ANTI JOIN later_outcomes
       ON outcomes.log_path = later_outcomes.log_path AND outcomes.log_row = later_outcomes.log_row`,
    ),
    view("happened", happened(dialect, experiment)),
    table(
      "unit_outcomes",
      `SELECT ${["unit", ...foldsOf(dialect, experiment, types)].join(", ")} FROM happened GROUP BY unit`,
    ),
    view(
      "unit_values",
      `SELECT ${["units.unit AS unit", "arm", ...experiment.metrics.map((metric, i) => `${unitValue(metric, types)} AS y${i}`)].join(", ")}
       FROM units LEFT JOIN unit_outcomes ON unit_outcomes.unit = units.unit WHERE NOT crossed`,
    ),
  ];
}

/**
 * `later_<rows>`: where rows stand whose id an earlier row has. Found by fingerprint first, which needs a fraction of the
 * memory that the ids would; the ids decide.
 */
function laterOnes(
  dialect: Dialect,
  { rows, id, where }: { readonly rows: string; readonly id: string; readonly where: string },
): Relation[] {
  return [
    {
      name: `repeated_${rows}`,
      kept: true,
      query: `SELECT fingerprint FROM (SELECT ${dialect.fingerprint(id)} AS fingerprint FROM ${rows} WHERE ${where}) ids
              GROUP BY fingerprint HAVING count(*) > 1`,
    },
    {
      name: `later_${rows}`,
      kept: true,
      query: `SELECT log_path, log_row
              FROM (SELECT log_path, log_row, row_number() OVER (PARTITION BY ${id} ORDER BY ${at}) AS nth
                    FROM ${rows} WHERE ${where}
                    AND ${dialect.fingerprint(id)} IN (SELECT fingerprint FROM repeated_${rows})) numbered
              WHERE nth > 1`,
    },
  ];
}

/** What may have come of an exposure, by `state`. An outcome of a request that counts for no arm is somebody else's. */
export const counts = 0;
const late = 1;
const unmatched = 2;

/**
 * `happened (unit, request, item, type, value, occurred_at, state)`: the outcomes that answer a request of this experiment, or an unknown one; and
 * what users did, wherever, where they are the units: that can be the arm's doing only once they have been exposed to it.
 */
function happened(dialect: Dialect, { unit, attributionWindow }: Experiment): string {
  const isLate = (since: string): string =>
    attributionWindow === undefined
      ? "false"
      : `occurred_at > ${since} + INTERVAL '${durationMs(attributionWindow) / 1_000}' SECOND`;
  const shown = dialect.contains("items", "item");
  const answers = `
    SELECT unit, request, item, type, value, occurred_at,
           CASE WHEN coalesce(shown, false) THEN CASE WHEN ${isLate("shown_at")} THEN ${late} ELSE ${counts} END
                ELSE ${unmatched} END AS state
    FROM (SELECT unit, request, item, type, value, occurred_at, shown_at, ${shown} AS shown
          FROM (SELECT * FROM first_outcomes WHERE item <> '' OR request NOT LIKE '${userPrefix}%') answers
          LEFT JOIN (SELECT request AS asked, arm, CASE WHEN arm IS NOT NULL THEN unit END AS unit,
                            CASE WHEN arm IS NOT NULL THEN shown_at END AS shown_at,
                            CASE WHEN arm IS NOT NULL THEN ${dialect.fieldOf("items", "id")} END AS items
                     FROM first_exposures) asked
          ON asked.asked = answers.request WHERE asked.asked IS NULL OR arm IS NOT NULL) joined`;
  if (unit !== "user") return answers;
  return `${answers}
    UNION ALL
    SELECT units.unit, NULL AS request, NULL AS item, type, value, occurred_at, CASE WHEN ${isLate("exposed")} THEN ${late} ELSE ${counts} END AS state
    FROM (SELECT substr(request, ${userPrefix.length + 1}) AS unit, type, value, occurred_at FROM first_outcomes
          WHERE item = '' AND request LIKE '${userPrefix}%' AND type IS NOT NULL) did
    JOIN units ON units.unit = did.unit WHERE occurred_at >= exposed`;
}

/** NULL for a type that no metric reads. */
function typePlace(dialect: Dialect, types: readonly string[]): string {
  if (types.length === 0) return "CAST(NULL AS INTEGER)";
  return `CASE type ${types.map((type, place) => `WHEN ${dialect.text(type)} THEN ${place}`).join(" ")} END`;
}

/** What is kept of a unit: `outcomeFolds`, and what is left out. */
function foldsOf(dialect: Dialect, experiment: Experiment, types: readonly string[]): string[] {
  return [
    ...outcomeFolds(dialect, experiment, types),
    `count(*) FILTER (WHERE state = ${late} AND type IS NOT NULL) AS late`,
    `count(*) FILTER (WHERE state = ${unmatched}) AS unmatched`,
  ];
}

/** Aggregates of rows of `happened`: how many outcomes of each type, and the sums of those whose sum is asked for. */
export function outcomeFolds(dialect: Dialect, { metrics }: Experiment, types: readonly string[]): string[] {
  return types.flatMap((type, place) => {
    const one = `state = ${counts} AND type = ${place}`;
    const isSummed = metrics.some(
      (metric) => metric.outcome === type && metric.type === "mean" && metric.aggregate === "sum",
    );
    // Whole numbers add up to the same in any order; only others need one.
    const isWhole = "value % 1e0 = 0e0 AND abs(value) <= 4294967296";
    const [whole, other] = [`${one} AND ${isWhole}`, `${one} AND NOT (${isWhole})`];
    const sum = `coalesce(sum(value) FILTER (WHERE ${whole}), 0) + coalesce(${dialect.orderedSum("value", other)}, 0)`;
    return [
      `count(*) FILTER (WHERE ${one}) AS count${place}`,
      ...(isSummed
        ? [
            `CASE WHEN max(abs(value)) FILTER (WHERE ${one}) >= ${magnitudeMax} THEN ${magnitudeMax} ELSE ${sum} END AS sum${place}`,
          ]
        : []),
    ];
  });
}

/** Outcomes of the metric's type, folded over whatever `outcomeFolds` was grouped by; 0 where there are none. */
export function unitValue(metric: Metric, types: readonly string[]): string {
  const type = types.indexOf(metric.outcome);
  const count = `coalesce(count${type}, 0)`;
  if (metric.type === "proportion" || metric.aggregate === "any")
    return `CASE WHEN ${count} > 0 THEN 1e0 ELSE 0e0 END`;
  return metric.aggregate === "count" ? `CAST(${count} AS DOUBLE)` : `coalesce(sum${type}, 0e0)`;
}
