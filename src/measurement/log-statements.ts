/**
 * The heavy half of an analysis of the log: the join of outcomes and impressions, folded over units and then over arms, as
 * SQL that DuckDB and Spark both take (`dialect.ts` has all in which they differ). What comes out is small however
 * large the log is, and every number of it is a whole one, so that it depends neither on the order of the rows nor on
 * how many threads or machines had a part in it.
 */

import type { Experiment } from "../domain/experiment.ts";
import type { Dialect, LogSources, LogUntil } from "./dialect.ts";
import type { ResultRow } from "./engine.ts";
import { momentsQuery, pairsWithin } from "./exact-moments.ts";
import { happened } from "./happened.ts";
import { exposureRelations, laterOnes, ofArm } from "./log-exposures.ts";
import { timingsQuery } from "./log-timings.ts";
import { variablesOf } from "./measure.ts";
import { type MetricLayouts, metricLayouts, withActivity } from "./metric-layout.ts";
import { quantilesQuery, unitEvents } from "./quantile-events.ts";
import type { Relation } from "./relation.ts";
import { unitRelations, unitValuesOf } from "./unit-values.ts";

/** Named so that no design's question can stand for one of the analysis itself. */
type DesignQuery = `design_${string}`;

/**
 * Something else to be asked of an experiment's log, in the same session as the arms' means. Its relations may read
 * those that `logStatements` makes: `first_exposures`, `units`, `happened`, `unit_values`, ….
 */
export interface LogDesign {
  readonly readsCounterfactuals?: boolean | undefined;
  /** `is_active` of `happened`. */
  readonly readsActivity?: boolean | undefined;
  readonly relations: readonly Relation[];
  /** Each answers few rows. */
  readonly queries: Readonly<Record<DesignQuery, string>>;
}

export interface LogCut {
  readonly impressions?: LogUntil | undefined;
  readonly outcomes?: LogUntil | undefined;
}

export interface LogStatements {
  /** Statements in their order; each may read what those before it made. */
  readonly prepare: readonly string[];
  /** Each answers rows of the columns that its name stands for in `LogResults`. */
  readonly queries: Readonly<Record<keyof LogResults | DesignQuery, string>>;
}

/** What the queries answer. Numbers of 64 bits and more come as texts. */
export interface LogResults {
  /** One row an arm that has units: `arm` (its place), `units`, `impressions`, `fallbacks`, `late`, and units that were `ranked` for, and `served` by the arm's model at least once. */
  readonly arms: readonly ResultRow[];
  /** One row: `crossed`, `unmatched`, `repeated`. */
  readonly totals: readonly ResultRow[];
  /** Impressions by `in_phase`, `known_arm`, `arm`, `model`, `model_version`: `impressions`. */
  readonly served: readonly ResultRow[];
  /** As `momentsQuery` says, of the layout's variables. */
  readonly moments: readonly ResultRow[];
  /** One row, `cap<variable>` for each that is cut off; none where none is. */
  readonly caps: readonly ResultRow[];
  /** Of quantile metrics by `arm`, `metric` and `bucket`: `events`, `squares`, `products`, as `QuantileBucket` has them. */
  readonly quantiles: readonly ResultRow[];
  /** Units by `arm` and by their first request's `day` (UTC), `surface` and `latency` (a place in `latencyEdgesMs`): `units`. */
  readonly strata: readonly ResultRow[];
  /** As `timingsIn` of log-timings.ts reads them. */
  readonly timings: readonly ResultRow[];
}

/**
 * @param designs what is asked of the same log beside the arms' means: their relations stand behind all of these.
 * @param cut of impressions and outcomes alone; all of them where left out.
 */
export function logStatements(
  dialect: Dialect,
  experiment: Experiment,
  files: LogSources,
  designs: readonly LogDesign[] = [],
  cut: LogCut = {},
): LogStatements {
  const plain = metricLayouts(experiment);
  const layouts = designs.some((design) => design.readsActivity === true) ? withActivity(plain) : plain;
  const compared = designs.some((design) => design.readsCounterfactuals === true);
  const relations = [
    ...logRelations(dialect, experiment, layouts),
    ...designs.flatMap((design) => design.relations),
  ];
  return {
    prepare: [
      dialect.rowsOf("impressions", files.impressions, cut.impressions),
      dialect.rowsOf("outcomes", files.outcomes, cut.outcomes),
      ...(compared ? [dialect.rowsOf("counterfactuals", files.counterfactuals ?? [])] : []),
      // Two designs may ask for the same.
      ...new Set(relations.map((relation) => dialect.create(relation))),
    ],
    queries: { ...Object.assign({}, ...designs.map((design) => design.queries)), ...logQueries(layouts) },
  };
}

/** In an order in which each reads only those before it, and the log's rows. */
export function logRelations(dialect: Dialect, experiment: Experiment, layouts: MetricLayouts): Relation[] {
  return [
    ...exposureRelations(dialect, experiment, layouts),
    ...laterOnes(dialect, { rows: "outcomes", id: "outcome", kind: undefined, where: "true" }),
    ...happened(dialect, experiment, layouts),
    ...unitRelations(dialect, layouts),
    ...unitEvents(layouts),
  ];
}

/** Over the relations. */
export function logQueries(layouts: MetricLayouts): Readonly<Record<keyof LogResults, string>> {
  const isCapped = layouts.caps.some((cap) => cap !== undefined);
  const skewed = layouts.metrics.flatMap(({ numerator }) => (numerator === undefined ? [] : [numerator]));
  return {
    arms: `
      SELECT arm, count(*) AS units, sum(impressions) AS impressions, sum(fallbacks) AS fallbacks,
             sum(coalesce(late, 0)) AS late, sum(CASE WHEN ranked > 0 THEN 1 ELSE 0 END) AS ranked,
             sum(CASE WHEN ranked > fallbacks THEN 1 ELSE 0 END) AS served
      FROM units LEFT JOIN unit_outcomes ON unit_outcomes.unit = units.unit WHERE NOT crossed GROUP BY arm`,
    totals: `
      SELECT (SELECT count(*) FROM units WHERE crossed) AS crossed,
             (SELECT coalesce(sum(unmatched), 0) FROM unit_outcomes) AS unmatched,
             (SELECT count(*) FROM later_exposures WHERE asked_as = ${ofArm}) AS repeated`,
    served: `
      SELECT in_phase, place IS NOT NULL AS known_arm, arm, model, model_version, count(*) AS impressions
      FROM exposures WHERE in_phase IS NOT NULL
      GROUP BY in_phase, place IS NOT NULL, arm, model, model_version`,
    moments: momentsQuery(
      unitValuesOf(layouts),
      layouts.variables.length,
      pairsWithin(layouts.metrics.map(variablesOf)),
      [...new Set(skewed)],
    ),
    caps: isCapped ? "SELECT * FROM caps" : "SELECT 0 AS none FROM units WHERE false",
    quantiles: quantilesQuery(layouts),
    timings: timingsQuery,
    strata: `
      SELECT arm, CAST(CAST(exposed AS DATE) AS STRING) AS day, first_request.surface AS surface,
             first_request.latency AS latency, count(*) AS units
      FROM units WHERE NOT crossed
      GROUP BY arm, CAST(CAST(exposed AS DATE) AS STRING), first_request.surface, first_request.latency`,
  };
}
