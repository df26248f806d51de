/**
 * The heavy half of an analysis of the log: the join of outcomes and impressions, folded over units and then over arms, as
 * SQL that DuckDB and Spark both take (`dialect.ts` has all in which they differ). What comes out is small however
 * large the log is, and every number of it is a whole one, so that it depends neither on the order of the rows nor on
 * how many threads or machines had a part in it.
 */
import type { Experiment } from "../domain/experiment.ts";
import { durationMs } from "../experiments/experiments.ts";
import { valueBuckets } from "../statistics/statistics.ts";
import { type Dialect, type LogSources, type Relation, standsAt } from "./dialect.ts";
import type { ResultRow } from "./engine.ts";
import { magnitudeMax, momentsQuery } from "./exact-moments.ts";
import { filterSql } from "./filter-sql.ts";
import {
  type MetricLayouts,
  metricLayouts,
  pairsOf,
  type Source,
  type UnitVariable,
} from "./metric-layout.ts";

export interface LogStatements {
  /** Statements in their order; each may read what those before it made. */
  readonly prepare: readonly string[];
  /** Each answers rows of the columns that its name stands for in `LogResults`. */
  readonly queries: Readonly<Record<keyof LogResults, string>>;
}

/** What the queries answer. Numbers of 64 bits and more come as texts. */
export interface LogResults {
  /** One row an arm that has units: `arm` (its place), `units`, `impressions`, `fallbacks`, `late`. */
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
}

/** Whoever tracks has no list that shows anything; the request of what a user did is this and the user's id. */
const userPrefix = "user:";

/** Upper edges of the buckets of the time before the arm's model had its say; the last bucket is open. */
export const latencyEdgesMs: readonly number[] = [1, 2, 5, 10, 20, 50, 100];

const at = standsAt.join(", ");

export function logStatements(dialect: Dialect, experiment: Experiment, files: LogSources): LogStatements {
  const layouts = metricLayouts(experiment);
  const relations = relationsOf(dialect, experiment, layouts);
  const isCapped = layouts.caps.some((cap) => cap !== undefined);
  const skewed = layouts.metrics.flatMap(({ numerator }) => (numerator === undefined ? [] : [numerator]));
  return {
    prepare: [
      dialect.rowsOf("impressions", files.impressions),
      dialect.rowsOf("outcomes", files.outcomes),
      ...relations.map((relation) => dialect.create(relation)),
    ],
    queries: {
      arms: `
        SELECT arm, count(*) AS units, sum(impressions) AS impressions, sum(fallbacks) AS fallbacks,
               sum(coalesce(late, 0)) AS late
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
        isCapped ? "capped_values" : "unit_values",
        layouts.variables.length,
        pairsOf(layouts),
        [...new Set(skewed)],
      ),
      caps: isCapped ? "SELECT * FROM caps" : "SELECT 0 AS none FROM units WHERE false",
      quantiles: quantilesQuery(layouts),
      strata: `
        SELECT arm, CAST(CAST(exposed AS DATE) AS STRING) AS day, first_request.surface AS surface,
               first_request.latency AS latency, count(*) AS units
        FROM units WHERE NOT crossed
        GROUP BY arm, CAST(CAST(exposed AS DATE) AS STRING), first_request.surface, first_request.latency`,
    },
  };
}

/** As what an impression may be asked for by an outcome: of an arm of this phase, or of no part of the experiment. */
const ofArm = 0;
const ofPast = 1;

function relationsOf(dialect: Dialect, experiment: Experiment, layouts: MetricLayouts): Relation[] {
  const view = (name: string, query: string): Relation => ({ name, query, kept: false });
  const table = (name: string, query: string): Relation => ({ name, query, kept: true });
  const places = experiment.arms.map((arm, place) => `WHEN ${dialect.text(arm.id)} THEN ${place}`).join(" ");
  const own = dialect.firstWhere("assignments", "one", `one.experiment = ${dialect.text(experiment.id)}`);
  const attributes = layouts.attributes.map((_, i) => `attribute${i}`);
  const carried = ["surface", "latency", "user_id", ...attributes].join(", ");
  const hasPast = layouts.pastMs !== undefined;
  const isCapped = layouts.caps.some((cap) => cap !== undefined);
  return [
    // `arm` is NULL where the impression does not count for this experiment, `in_phase` where it was no part of it.
    view(
      "exposures",
      `SELECT request, shown_at, model, model_version, items, ${at}, ${carried}, unit, in_phase, overridden, place,
              fallback, CASE WHEN in_phase AND NOT overridden THEN place END AS arm,
              CASE WHEN in_phase AND NOT overridden AND place IS NOT NULL THEN ${ofArm}
                   ${hasPast ? `WHEN in_phase IS NULL THEN ${ofPast}` : ""} END AS asked_as
       FROM (SELECT request, shown_at, model, model_version, items, ${at}, surface, user_id,
                    ${latencyBucket} AS latency,
                    ${layouts.attributes.map((one, i) => `${attributeSql(dialect, one)} AS attribute${i},`).join(" ")}
                    assignment.unit AS unit,
                    assignment.phase = ${experiment.phase} AS in_phase, assignment.overridden AS overridden,
                    CASE assignment.arm ${places} END AS place,
                    CASE WHEN model IS NULL AND candidate_count <> 0 THEN 1 ELSE 0 END AS fallback
             FROM (SELECT *, ${own} AS assignment FROM impressions) assigned) placed`,
    ),
    // Within the experiment only: a page may ask two surfaces under one request id.
    ...laterOnes(dialect, {
      rows: "exposures",
      id: "request",
      kind: "asked_as",
      where: "asked_as IS NOT NULL",
    }),
    view(
      "first_exposures",
      `SELECT request, shown_at, items, ${carried}, unit, fallback, arm, in_phase, asked_as
       FROM exposures ANTI JOIN later_exposures
       ON exposures.log_path = later_exposures.log_path AND exposures.log_row = later_exposures.log_row`,
    ),
    table("forced", "SELECT DISTINCT unit FROM exposures WHERE in_phase AND overridden"),
    // `began`: the first that the unit had of the experiment, in whatever phase.
    table(
      "units",
      `SELECT unit, min(arm) AS arm, min(arm) <> max(arm) AS crossed, count(arm) AS impressions,
              sum(CASE WHEN arm IS NOT NULL THEN fallback END) AS fallbacks,
              min(CASE WHEN arm IS NOT NULL THEN shown_at END) AS exposed, min(shown_at) AS began,
              ${dialect.least(
                {
                  shown_at: "shown_at",
                  surface: "surface",
                  latency: "latency",
                  ...Object.fromEntries(attributes.map((one) => [one, one])),
                },
                "arm IS NOT NULL",
              )} AS first_request
       FROM first_exposures
       WHERE in_phase IS NOT NULL AND NOT EXISTS (SELECT 1 FROM forced WHERE forced.unit = first_exposures.unit)
       GROUP BY unit HAVING count(arm) > 0`,
    ),
    ...laterOnes(dialect, { rows: "outcomes", id: "outcome", kind: undefined, where: "true" }),
    view(
      "first_outcomes",
      `SELECT request, item, ${typePlace(dialect, layouts.types)} AS type, type AS type_name, value, occurred_at
       FROM outcomes ANTI JOIN later_outcomes
       ON outcomes.log_path = later_outcomes.log_path AND outcomes.log_row = later_outcomes.log_row`,
    ),
    view("happened", happened(dialect, experiment, layouts)),
    table(
      "unit_outcomes",
      `SELECT ${["unit", ...foldsOf(dialect, layouts)].join(", ")} FROM happened GROUP BY unit`,
    ),
    (isCapped ? table : view)(
      "unit_values",
      `SELECT ${["arm", ...layouts.variables.map((variable, i) => `${variableSql(variable)} AS v${i}`)].join(", ")}
       FROM units LEFT JOIN unit_outcomes ON unit_outcomes.unit = units.unit WHERE NOT crossed`,
    ),
    ...(isCapped ? cappedRelations(layouts) : []),
    ...(layouts.metrics.some(({ events }) => events !== undefined)
      ? [table("unit_events", unitEvents(dialect, layouts))]
      : []),
  ];
}

/** Before the arms differ: a slower model changes nothing about it. */
const beforeModel = "timings.assign + timings.features";
const latencyBucket = `CASE ${latencyEdgesMs.map((edge, i) => `WHEN ${beforeModel} < ${edge}e0 THEN ${i}`).join(" ")}
  WHEN ${beforeModel} IS NOT NULL THEN ${latencyEdgesMs.length} END`;

/** A number as it is, a bool as 1 or 0, NULL where it is neither. */
function attributeSql(dialect: Dialect, attribute: string): string {
  const [entity, ...name] = attribute.split(".");
  const text = dialect.mapValue(`${entity}_attributes`, dialect.text(name.join(".")));
  const number = `TRY_CAST(${text} AS DOUBLE)`;
  return `CASE ${text} WHEN 'true' THEN 1e0 WHEN 'false' THEN 0e0 ELSE CASE WHEN abs(${number}) < ${magnitudeMax} THEN ${number} END END`;
}

/**
 * `later_<rows>`: where rows stand whose id an earlier row has, one of the same kind where there are kinds. Found by
 * fingerprint first, which needs a fraction of the memory that the ids would; the ids decide.
 */
function laterOnes(
  dialect: Dialect,
  {
    rows,
    id,
    kind,
    where,
  }: {
    readonly rows: string;
    readonly id: string;
    readonly kind: string | undefined;
    readonly where: string;
  },
): Relation[] {
  const kept = kind === undefined ? "" : `, ${kind}`;
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
      query: `SELECT log_path, log_row${kept}
              FROM (SELECT log_path, log_row${kept}, row_number() OVER (PARTITION BY ${id}${kept} ORDER BY ${at}) AS nth
                    FROM ${rows} WHERE ${where}
                    AND ${dialect.fingerprint(id)} IN (SELECT fingerprint FROM repeated_${rows})) numbered
              WHERE nth > 1`,
    },
  ];
}

/** What may have come of an exposure, by `state`. An outcome of a request that counts for no arm is somebody else's. */
const counts = 0;
const late = 1;
const unmatched = 2;
/** Of a unit's time before it was first exposed to the experiment. */
const past = 3;

const seconds = (ms: number): string => `INTERVAL '${ms / 1_000}' SECOND`;

/**
 * `happened (unit, type, value, state)`, with what filters, windows and the order of outcomes need: the outcomes that answer
 * a request of this experiment, or an unknown one; what users did, wherever, where they are the units: that can be the arm's
 * doing only once they have been exposed to it; and what they did before, which it cannot be.
 */
function happened(
  dialect: Dialect,
  { unit, attributionWindow }: Experiment,
  { reads, pastMs, sources }: MetricLayouts,
): string {
  const isLate = (since: string): string =>
    attributionWindow === undefined
      ? "false"
      : `occurred_at > ${since} + ${seconds(durationMs(attributionWindow))}`;
  const hasWindow = sources.some(({ windowMs }) => windowMs !== undefined);
  const needsUnits = hasWindow || pastMs !== undefined;
  const outcomeColumns = ["type", "value", "occurred_at", ...(reads.type ? ["type_name"] : []), "item"];
  const itemColumns = [...(reads.position ? ["position"] : []), ...(reads.features ? ["features"] : [])];
  const unitColumns = needsUnits ? ["exposed", "began"] : [];
  const columns = [...outcomeColumns, ...itemColumns, ...unitColumns].join(", ");
  const isOfArm = `asked_as = ${ofArm}`;
  const asked = [
    "request AS asked",
    "asked_as",
    `CASE WHEN ${isOfArm} THEN unit WHEN asked_as = ${ofPast} THEN user_id END AS unit`,
    "shown_at",
    `${dialect.fieldOf("items", "id")} AS items`,
    ...itemColumns.map((field) => `${dialect.fieldOf("items", field)} AS ${field}s`),
  ];
  const ofItem = itemColumns.map((field) => `${dialect.elementAt(`${field}s`, "items", "item")} AS ${field}`);
  // As of a unit's own: one without an arm has none.
  const joined = `
    SELECT ${["unit", ...outcomeColumns, ...ofItem, "shown_at", "asked_as"].join(", ")},
           coalesce(${dialect.contains("items", "item")}, false) AS shown
    FROM (SELECT * FROM first_outcomes WHERE item <> '' OR request NOT LIKE '${userPrefix}%') answers
    LEFT JOIN (SELECT ${asked.join(", ")} FROM first_exposures) asked
    ON asked.asked = answers.request WHERE asked.asked IS NULL OR asked_as IS NOT NULL`;
  const isPast = (when: string): string =>
    pastMs === undefined
      ? "false"
      : `(${when} AND occurred_at < began AND occurred_at >= began - ${seconds(pastMs)})`;
  const answers = `
    SELECT joined.unit AS unit, ${columns},
           CASE WHEN asked_as = ${ofPast} THEN ${past} WHEN NOT shown OR asked_as IS NULL THEN ${unmatched}
                WHEN ${isLate("shown_at")} THEN ${late} ELSE ${counts} END AS state
    FROM (${joined}) joined ${needsUnits ? "LEFT JOIN units ON units.unit = joined.unit" : ""}
    WHERE asked_as IS NULL OR ${isOfArm} ${pastMs === undefined ? "" : `OR ${isPast("shown_at < began")}`}`;
  if (unit !== "user") return answers;
  const noItem = itemColumns.map(
    (field) => `CAST(NULL AS ${field === "position" ? "INTEGER" : "STRING"}) AS ${field}`,
  );
  return `${answers}
    UNION ALL
    SELECT ${["units.unit AS unit", ...outcomeColumns, ...noItem, ...unitColumns].join(", ")},
           CASE WHEN occurred_at < exposed THEN ${past} WHEN ${isLate("exposed")} THEN ${late} ELSE ${counts} END AS state
    FROM (SELECT substr(request, ${userPrefix.length + 1}) AS did_by, ${outcomeColumns.join(", ")} FROM first_outcomes
          WHERE item = '' AND request LIKE '${userPrefix}%' AND type IS NOT NULL) did
    JOIN units ON units.unit = did.did_by WHERE occurred_at >= exposed OR ${isPast("true")}`;
}

/** NULL for a type that no metric reads. */
function typePlace(dialect: Dialect, types: readonly string[]): string {
  if (types.length === 0) return "CAST(NULL AS INTEGER)";
  return `CASE type ${types.map((type, place) => `WHEN ${dialect.text(type)} THEN ${place}`).join(" ")} END`;
}

/** Whether an outcome is one of the source's, whatever its state. */
function isOf(dialect: Dialect, { type, filter, windowMs }: Source): string {
  return [
    `type = ${type}`,
    ...(filter === undefined ? [] : [filterSql(dialect, filter)]),
    ...(windowMs === undefined ? [] : [`occurred_at <= exposed + ${seconds(windowMs)}`]),
  ].join(" AND ");
}

/** What is kept of a unit: of each source how many outcomes it has, what is asked of their values, and what is left out. */
function foldsOf(dialect: Dialect, { sources, variables, pastMs }: MetricLayouts): string[] {
  const folds = sources.flatMap((source, place) => {
    const isBefore = source.pastMs !== undefined;
    // The longest past is all that there is of it.
    const isRecent =
      isBefore && source.pastMs !== pastMs ? ` AND occurred_at >= began - ${seconds(source.pastMs)}` : "";
    const one = `state = ${isBefore ? past : counts} AND ${isOf(dialect, source)}${isRecent}`;
    const wanted = new Set(
      variables.flatMap((variable) =>
        variable.kind === "fold" && variable.source === place ? [variable.aggregate] : [],
      ),
    );
    // Whole numbers add up to the same in any order; only others need one.
    const isWhole = "value % 1e0 = 0e0 AND abs(value) <= 4294967296";
    const [whole, other] = [`${one} AND ${isWhole}`, `${one} AND NOT (${isWhole})`];
    const sum = `coalesce(sum(value) FILTER (WHERE ${whole}), 0) + coalesce(${dialect.orderedSum("value", other)}, 0)`;
    return [
      `count(*) FILTER (WHERE ${one}) AS count${place}`,
      ...(wanted.has("sum") || wanted.has("mean")
        ? [
            `CASE WHEN max(abs(value)) FILTER (WHERE ${one}) >= ${magnitudeMax} THEN ${magnitudeMax} ELSE ${sum} END AS sum${place}`,
          ]
        : []),
      ...(wanted.has("last") ? [`${dialect.latest("value", "occurred_at", one)} AS last${place}`] : []),
    ];
  });
  const isCounted = sources
    .filter((source) => source.pastMs === undefined)
    .map((source) => `(${isOf(dialect, { ...source, windowMs: undefined })})`);
  const isMetrics = isCounted.length === 0 ? "false" : isCounted.join(" OR ");
  return [
    ...folds,
    `count(*) FILTER (WHERE state = ${late} AND (${isMetrics})) AS late`,
    `count(*) FILTER (WHERE state = ${unmatched}) AS unmatched`,
    `count(*) FILTER (WHERE state = ${past} AND type IS NOT NULL) AS pasts`,
  ];
}

/** One number of a unit; 0 where there is nothing to fold. */
function variableSql(variable: UnitVariable): string {
  switch (variable.kind) {
    case "requests":
      return "CAST(impressions AS DOUBLE)";
    case "no-past":
      return "CASE WHEN coalesce(pasts, 0) > 0 THEN 0e0 ELSE 1e0 END";
    case "attribute":
      return `coalesce(first_request.attribute${variable.attribute}, 0e0)`;
    case "no-attribute":
      return `CASE WHEN first_request.attribute${variable.attribute} IS NULL THEN 1e0 ELSE 0e0 END`;
    case "fold": {
      const { source, aggregate } = variable;
      const count = `coalesce(count${source}, 0)`;
      switch (aggregate) {
        case "any":
          return `CASE WHEN ${count} > 0 THEN 1e0 ELSE 0e0 END`;
        case "count":
          return `CAST(${count} AS DOUBLE)`;
        case "sum":
          return `coalesce(sum${source}, 0e0)`;
        case "mean":
          return `CASE WHEN ${count} > 0 THEN sum${source} / CAST(${count} AS DOUBLE) ELSE 0e0 END`;
        case "last":
          return `coalesce(last${source}, 0e0)`;
      }
    }
  }
}

/**
 * `caps`: of each variable that is cut off the least value that no more than `1 - quantile` of all units are above; both arms
 * have the same, since a cap for each would take a part of the effect away. `capped_values`: the units' values under them.
 */
function cappedRelations({ caps, variables }: MetricLayouts): Relation[] {
  const capped = caps.flatMap((quantile, i) => (quantile === undefined ? [] : [{ quantile, i }]));
  const cap = ({ quantile, i }: (typeof capped)[number]): string => `
    (SELECT min(value) FROM (SELECT value, sum(units) OVER (ORDER BY value) AS below, sum(units) OVER () AS everybody
                             FROM (SELECT v${i} AS value, count(*) AS units FROM unit_values GROUP BY v${i}) grouped) ranked
     WHERE below >= ${quantile}e0 * everybody) AS cap${i}`;
  const values = variables.map((_, i) =>
    caps[i] === undefined ? `v${i}` : `least(v${i}, cap${i}) AS v${i}`,
  );
  return [
    { name: "caps", kept: true, query: `SELECT ${capped.map(cap).join(", ")}` },
    {
      name: "capped_values",
      kept: false,
      query: `SELECT ${["arm", ...values].join(", ")} FROM unit_values CROSS JOIN caps`,
    },
  ];
}

/** `unit_events`: how many events of each quantile metric a unit has in each bucket of values. */
function unitEvents(dialect: Dialect, { metrics, sources }: MetricLayouts): string {
  const { smallest, logGrowth, offset } = valueBuckets;
  // Rounded, so that the last digit of a logarithm, which two engines may differ in, decides nothing.
  const size = `greatest(1e0, ceil(round(ln(abs(value)) / ${logGrowth}, 9)) + ${offset})`;
  const bucket = `CAST(CASE WHEN abs(value) < ${smallest} THEN 0e0 WHEN value > 0 THEN ${size} ELSE -(${size}) END AS INTEGER)`;
  const parts = metrics.flatMap(({ events }, metric) =>
    events === undefined
      ? []
      : [
          `SELECT unit, ${metric} AS metric, ${bucket} AS bucket, count(*) AS events FROM happened
           WHERE state = ${counts} AND ${isOf(dialect, sources[events] as Source)} GROUP BY unit, ${bucket}`,
        ],
  );
  return parts.join(" UNION ALL ");
}

/** With J a unit's events up to a bucket and N all of them: J^2 grows there by `e (2 J - e)` and J N by `e N`. */
function quantilesQuery({ metrics }: MetricLayouts): string {
  if (!metrics.some(({ events }) => events !== undefined)) return "SELECT 0 AS none FROM units WHERE false";
  return `
    SELECT arm, metric, bucket, sum(events) AS events, sum(events * (2 * below - events)) AS squares,
           sum(events * total) AS products
    FROM (SELECT unit, metric, bucket, events,
                 sum(events) OVER (PARTITION BY unit, metric ORDER BY bucket) AS below,
                 sum(events) OVER (PARTITION BY unit, metric) AS total
          FROM unit_events) grown
    JOIN units ON units.unit = grown.unit WHERE NOT crossed GROUP BY arm, metric, bucket`;
}
