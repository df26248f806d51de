/** Outcomes joined with what they answer: whose they are, whether they count, and for which metrics. */
import type { Experiment } from "../domain/experiment.ts";
import { durationMs } from "../experiments/experiments.ts";
import type { Dialect, Relation } from "./dialect.ts";
import { filterSql } from "./filter-sql.ts";
import { view } from "./log-design.ts";
import { ofArm, ofPast } from "./log-exposures.ts";
import { activityMs, type MetricLayouts, type Source } from "./metric-layout.ts";

/** Whoever tracks has no list that shows anything; the request of what a user did is this and the user's id. */
const userPrefix = "user:";

/** What may have come of an exposure, by `state`. An outcome of a request that counts for no arm is somebody else's. */
const counts = 0;
const late = 1;
const unmatched = 2;
/** Of a unit's time before it was first exposed to the experiment. */
const past = 3;

const seconds = (ms: number): string => `INTERVAL '${ms / 1_000}' SECOND`;

/** True in rows of `happened` that are of a metric's source: of its type, as its filter says, in its time, and counted. */
export function isOf(source: number): string {
  return `is_of${source}`;
}

/**
 * `happened (unit, request, item, value, occurred_at, is_of0, is_of1, …, is_late, is_unmatched, is_past, is_active)`: the outcomes that
 * answer a request of this experiment, or an unknown one; what users did, wherever, where they are the units (of no request
 * and no item): that can be the arm's doing only once they have been exposed to it; and what they did before, which it cannot be.
 */
export function happened(dialect: Dialect, experiment: Experiment, layouts: MetricLayouts): Relation[] {
  const { sources, types } = layouts;
  const isCounted = (source: Source): string =>
    source.pastMs === undefined
      ? `state = ${counts} AND ${isMeant(dialect, source)}`
      : `state = ${past} AND ${isMeant(dialect, source)} AND occurred_at >= began - ${seconds(source.pastMs)}`;
  const meant = sources
    .filter((source) => source.pastMs === undefined)
    .map((source) => `(${isMeant(dialect, { ...source, windowMs: undefined })})`);
  const isPast = (ms: number | undefined): string => {
    if (ms === undefined) return "false";
    const since = ms === layouts.seenPastMs ? "" : ` AND occurred_at >= began - ${seconds(ms)}`;
    return `state = ${past} AND type IS NOT NULL${since}`;
  };
  const columns = [
    ...["unit", "request", "item", "value", "occurred_at"],
    ...sources.map((source, i) => `coalesce(${isCounted(source)}, false) AS ${isOf(i)}`),
    `state = ${late} AND coalesce(${meant.length === 0 ? "false" : meant.join(" OR ")}, false) AS is_late`,
    `state = ${unmatched} AS is_unmatched`,
    `${isPast(layouts.pastMs)} AS is_past`,
    ...(layouts.readsActivity ? [`${isPast(activityMs)} AS is_active`] : []),
  ];
  return [
    view(
      "first_outcomes",
      `SELECT request, item, ${typePlace(dialect, types)} AS type, type AS type_name, value, occurred_at
       FROM outcomes ANTI JOIN later_outcomes
       ON outcomes.log_path = later_outcomes.log_path AND outcomes.log_row = later_outcomes.log_row`,
    ),
    view(
      "happened",
      `SELECT ${columns.join(", ")} FROM (${outcomesWithState(dialect, experiment, layouts)}) stated`,
    ),
  ];
}

/** Whether an outcome is one of the source's, whatever its state. */
function isMeant(dialect: Dialect, { type, filter, windowMs }: Source): string {
  return [
    `type = ${type}`,
    ...(filter === undefined ? [] : [filterSql(dialect, filter)]),
    ...(windowMs === undefined ? [] : [`occurred_at <= exposed + ${seconds(windowMs)}`]),
  ].join(" AND ");
}

function outcomesWithState(
  dialect: Dialect,
  { unit, attributionWindow }: Experiment,
  { reads, seenPastMs: pastMs, sources }: MetricLayouts,
): string {
  const isLate = (since: string): string =>
    attributionWindow === undefined
      ? "false"
      : `occurred_at > ${since} + ${seconds(durationMs(attributionWindow))}`;
  const hasWindow = sources.some(({ windowMs }) => windowMs !== undefined);
  const needsUnits = hasWindow || pastMs !== undefined;
  const outcomeColumns = ["type", "type_name", "value", "occurred_at"];
  const itemColumns = [...(reads.position ? ["position"] : []), ...(reads.features ? ["features"] : [])];
  const unitColumns = needsUnits ? ["exposed", "began"] : [];
  const isOfArm = `asked_as = ${ofArm}`;
  const asked = [
    "request AS asked",
    "asked_as",
    // Of no arm, it is of interest only as what its user did before.
    `CASE WHEN ${isOfArm} THEN unit WHEN asked_as = ${ofPast} THEN user_id END AS unit`,
    "shown_at",
    `${dialect.fieldOf("items", "id")} AS items`,
    ...itemColumns.map((field) => `${dialect.fieldOf("items", field)} AS ${field}s`),
  ];
  const ofItem = itemColumns.map(
    (field) => `${dialect.at(`${field}s`, dialect.placeIn("items", "item"))} AS ${field}`,
  );
  const joined = `
    SELECT ${["unit", "request", "item", ...outcomeColumns, ...ofItem, "shown_at", "asked_as"].join(", ")},
           coalesce(${dialect.contains("items", "item")}, false) AS shown
    FROM (SELECT * FROM first_outcomes WHERE item <> '' OR request NOT LIKE '${userPrefix}%') answers
    LEFT JOIN (SELECT ${asked.join(", ")} FROM first_exposures) asked
    ON asked.asked = answers.request WHERE asked.asked IS NULL OR asked_as IS NOT NULL`;
  const isPast = (when: string): string =>
    pastMs === undefined
      ? "false"
      : `(${when} AND occurred_at < began AND occurred_at >= began - ${seconds(pastMs)})`;
  const answers = `
    SELECT ${["joined.unit AS unit", "request", "item", ...outcomeColumns, ...itemColumns, ...unitColumns].join(", ")},
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
    SELECT ${["units.unit AS unit", "NULL AS request", "NULL AS item", ...outcomeColumns, ...noItem, ...unitColumns].join(", ")},
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
