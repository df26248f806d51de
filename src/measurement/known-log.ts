/**
 * What an incremental analysis keeps of the log that it has folded, as tables of an attached DuckDB called `known`, and the
 * statements that fold more files into it. Nothing is worked out in another way than over the whole log: the relations are
 * the same ones, over the rows of the units that the new files touch. Why that is exact:
 *
 * - Which impression of a request, and which outcome of an id, comes first is decided by where it stands in the log. What is
 *   new stands behind all that is known, so a first one stays the first.
 * - An outcome is of a unit through an exposure that it answers (a pair), or as its user's own. What comes of a pair depends
 *   on nothing but the pair and the times `exposed` and `began` of its unit. So new are the pairs with a new outcome, those
 *   with a new exposure, and those of units whose times have changed, whose rows of `happened` are taken out first.
 * - A unit's numbers are folded from its rows of `happened` anew where it has a new one, by the same aggregates.
 */
import type { Experiment } from "../domain/experiment.ts";
import type { Dialect, LogSources } from "./dialect.ts";
import { newExposures, touchedUnits } from "./known-exposures.ts";
import { newOutcomes, pairs, refolded } from "./known-outcomes.ts";
import { shapedAs } from "./known-tables.ts";
import { logQueries, logRelations } from "./log-statements.ts";
import { metricLayouts } from "./metric-layout.ts";
import type { Relation } from "./relation.ts";

/** Folds the files, none of which is known and which all stand behind those that are. For a session without temporary names. */
export function foldStatements(dialect: Dialect, experiment: Experiment, files: LogSources): string[] {
  const layouts = metricLayouts(experiment);
  const relations = logRelations(dialect, experiment, layouts);
  const create = (name: string): string =>
    dialect.create(relations.find((relation) => relation.name === name) as Relation);
  return [
    dialect.rowsOf("impressions", files.impressions),
    dialect.rowsOf("outcomes", files.outcomes),
    ...newExposures(create, layouts),
    ...touchedUnits(create, layouts),
    ...newOutcomes(create),
    ...pairs(create),
    ...refolded(create, layouts),
    shapedAs("served", logQueries(layouts).served),
    `INSERT INTO known.served ${logQueries(layouts).served}`,
    "INSERT INTO known.later_exposures SELECT asked_as FROM later_exposures",
    "INSERT INTO known.exposures BY NAME SELECT * FROM new_exposures",
    "INSERT INTO known.outcomes BY NAME SELECT * EXCLUDE (name) FROM new_outcomes",
  ];
}

/** The queries over what is known, and what they read. For a session without temporary names. */
export function knownStatements(
  dialect: Dialect,
  experiment: Experiment,
): { readonly prepare: readonly string[]; readonly queries: ReturnType<typeof logQueries> } {
  const layouts = metricLayouts(experiment);
  const isQuantile = layouts.metrics.some(({ events }) => events !== undefined);
  const known = (name: string): string => `CREATE TEMPORARY VIEW ${name} AS SELECT * FROM known.${name}`;
  return {
    prepare: [
      ...["units", "later_exposures", ...(isQuantile ? ["unit_events"] : [])].map(known),
      `CREATE TEMPORARY VIEW unit_outcomes AS SELECT * FROM known.unit_outcomes
       UNION ALL BY NAME
       SELECT CAST(NULL AS INTEGER) AS unit, CAST(sum(outcomes) AS BIGINT) AS unmatched FROM known.unknown`,
      ...logRelations(dialect, experiment, layouts)
        .filter(({ name }) => ["unit_values", "caps", "capped_values"].includes(name))
        .map(dialect.create),
    ],
    queries: {
      ...logQueries(layouts),
      served: `SELECT * EXCLUDE (impressions), CAST(sum(impressions) AS BIGINT) AS impressions FROM known.served GROUP BY ALL`,
    },
  };
}
