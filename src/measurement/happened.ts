/** Outcomes joined with what they answer: whose they are, whether they count, and for which metrics. */

import type { Experiment } from "../domain/experiment.ts";
import { durationMs } from "../experiments/experiments.ts";
import type { Dialect } from "./dialect.ts";
import { filterSql } from "./filter-sql.ts";
import { ofArm, ofPast } from "./log-exposures.ts";
import { activityMs, type MetricLayouts, type Source } from "./metric-layout.ts";
import { type Relation, view } from "./relation.ts";

/** Whoever tracks has no list that shows anything; the request of what a user did is this and the user's id. */
export const userPrefix = "user:";

/** What may have come of an exposure, by `state`. An outcome of a request that counts for no arm is somebody else's. */
const counts = 0;
const late = 1;
const unmatched = 2;
/** Of a unit's time before it was first exposed to the experiment. */
const past = 3;

/** What users did without a list, beside what outcomes may answer. */
const ofUser = 2;

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
  // The longest past that is looked at is all that there is.
  const within = (ms: number): string =>
    ms === layouts.seenPastMs ? "" : ` AND occurred_at >= began - ${seconds(ms)}`;
  const isCounted = (source: Source): string =>
    source.pastMs === undefined
      ? `state = ${counts} AND ${isMeant(dialect, source)}`
      : `state = ${past} AND ${isMeant(dialect, source)}${within(source.pastMs)}`;
  const meant = sources
    .filter((source) => source.pastMs === undefined)
    .map((source) => `(${isMeant(dialect, { ...source, windowMs: undefined })})`);
  const isPast = (ms: number | undefined): string =>
    ms === undefined ? "false" : `state = ${past} AND type IS NOT NULL${within(ms)}`;
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

/**
 * One join, of each outcome with what it answers. What has to be known of a unit is joined to the exposures, which are fewer,
 * and only those of which an outcome may count carry items: they are the side that a join keeps in memory.
 */
function outcomesWithState(dialect: Dialect, experiment: Experiment, layouts: MetricLayouts): string {
  const { reads, seenPastMs: pastMs, sources } = layouts;
  const usersAreUnits = experiment.unit === "user";
  const window =
    experiment.attributionWindow === undefined ? undefined : durationMs(experiment.attributionWindow);
  const hasExposed = usersAreUnits || sources.some(({ windowMs }) => windowMs !== undefined);
  const times = [...(pastMs === undefined ? [] : ["began"]), ...(hasExposed ? ["exposed"] : [])];
  const untilOf = (since: string): string[] =>
    window === undefined ? [] : [`${since} + ${seconds(window)} AS until`];
  const itemColumns = [...(reads.position ? ["position"] : []), ...(reads.features ? ["features"] : [])];
  const isItemRead = itemColumns.length > 0 ? "scope IS NOT NULL" : `scope = ${ofArm}`;
  const listOf = (field: string): string =>
    `CASE WHEN ${isItemRead} THEN ${dialect.fieldOf("items", field)} END`;
  const requests = `
    SELECT ${[
      ...["request AS asked", "false AS alone", "scope", "owner AS unit", ...times, ...untilOf("shown_at")],
      ...[...itemColumns.map((field) => `${listOf(field)} AS ${field}s`), `${listOf("id")} AS items`],
    ].join(", ")}
    FROM (SELECT ${["request", "shown_at", "items", "owner", ...times].join(", ")},
                 ${pastMs === undefined ? "asked_as" : `CASE WHEN asked_as = ${ofArm} OR shown_at < began THEN asked_as END`} AS scope
          FROM (SELECT request, shown_at, items, asked_as,
                       CASE WHEN asked_as = ${ofArm} THEN unit WHEN asked_as = ${ofPast} THEN user_id END AS owner
                FROM first_exposures) owned
          ${times.length === 0 ? "" : "LEFT JOIN units ON units.unit = owner"}) scoped`;
  const doers = `
    SELECT ${[
      ...[`'${userPrefix}' || unit AS asked`, "true AS alone", `${ofUser} AS scope`, "unit", ...times],
      ...[...untilOf("exposed"), ...itemColumns.map((field) => `NULL AS ${field}s`), "NULL AS items"],
    ].join(", ")}
    FROM units`;
  const isPast =
    pastMs === undefined ? "false" : `(occurred_at < began AND occurred_at >= began - ${seconds(pastMs)})`;
  const isBefore = usersAreUnits ? `(scope = ${ofUser} AND occurred_at < exposed)` : "false";
  const isShown = `coalesce(${dialect.contains("items", "item")}, false)`;
  const ofItem = (field: string): string =>
    `${dialect.at(`${field}s`, dialect.placeIn("items", "item"))} AS ${field}`;
  const counting = [
    "(asked IS NULL AND NOT answers.alone)",
    `scope = ${ofArm}`,
    `(scope = ${ofPast} AND ${isPast})`,
    ...(usersAreUnits
      ? [`(scope = ${ofUser} AND type IS NOT NULL AND (occurred_at >= exposed OR ${isPast}))`]
      : []),
  ];
  const request = (column: string): string => `CASE WHEN NOT answers.alone THEN ${column} END AS ${column}`;
  return `
    SELECT ${[
      ...["unit", request("request"), request("item"), "type", "type_name", "value", "occurred_at"],
      ...[...times, ...itemColumns.map(ofItem)],
    ].join(", ")},
           CASE WHEN scope = ${ofPast} OR ${isBefore} THEN ${past}
                WHEN scope IS NULL OR (scope = ${ofArm} AND NOT ${isShown}) THEN ${unmatched}
                ${window === undefined ? "" : `WHEN occurred_at > until THEN ${late}`} ELSE ${counts} END AS state
    FROM (SELECT *, coalesce(item = '' AND request LIKE '${userPrefix}%', false) AS alone FROM first_outcomes) answers
    LEFT JOIN (${[requests, ...(usersAreUnits ? [doers] : [])].join(" UNION ALL ")}) known
    ON asked = answers.request AND known.alone = answers.alone
    WHERE ${counting.join(" OR ")}`;
}

/** NULL for a type that no metric reads. */
function typePlace(dialect: Dialect, types: readonly string[]): string {
  if (types.length === 0) return "CAST(NULL AS INTEGER)";
  return `CASE type ${types.map((type, place) => `WHEN ${dialect.text(type)} THEN ${place}`).join(" ")} END`;
}
