/** What is folded of each unit's outcomes, and the numbers that it then has. */

import { type Dialect, doubleSql } from "./dialect.ts";
import { magnitudeMax } from "./exact-moments.ts";
import { isOf } from "./happened.ts";
import type { FoldAggregate, MetricLayouts, UnitVariable } from "./metric-layout.ts";
import { type Relation, table, view } from "./relation.ts";

/** The relation with one row a unit, `unit`, `arm`, and `v0`, `v1`, … for the layout's variables, cut off where it says so. */
export function unitValuesOf({ caps }: MetricLayouts): string {
  return caps.some((cap) => cap !== undefined) ? "capped_values" : "unit_values";
}

/** `unit_outcomes`, `unit_values`, and `caps` and `capped_values` where a variable is cut off. */
export function unitRelations(dialect: Dialect, layouts: MetricLayouts): Relation[] {
  const isCapped = layouts.caps.some((cap) => cap !== undefined);
  const folds = [
    "unit",
    ...outcomeFolds(dialect, layouts.variables),
    "count(*) FILTER (WHERE is_late) AS late",
    "count(*) FILTER (WHERE is_unmatched) AS unmatched",
    "count(*) FILTER (WHERE is_past) AS pasts",
  ];
  const values = layouts.variables.map((variable, i) => `${variableSql(variable)} AS v${i}`);
  return [
    table("unit_outcomes", `SELECT ${folds.join(", ")} FROM happened GROUP BY unit`),
    (isCapped ? table : view)(
      "unit_values",
      `SELECT ${["units.unit AS unit", "arm", ...values].join(", ")}
       FROM units LEFT JOIN unit_outcomes ON unit_outcomes.unit = units.unit WHERE NOT crossed`,
    ),
    ...(isCapped ? cappedRelations(layouts) : []),
  ];
}

/** Aggregates of rows of `happened`, of each source that a variable folds: how many outcomes it has, and what is asked of their values. */
export function outcomeFolds(dialect: Dialect, variables: readonly UnitVariable[]): string[] {
  const folded = variables.flatMap((variable) => (variable.kind === "fold" ? [variable] : []));
  return [...new Set(folded.map(({ source }) => source))].flatMap((source) => {
    const one = isOf(source);
    const wanted = new Set(folded.filter((fold) => fold.source === source).map((fold) => fold.aggregate));
    // Whole numbers add up to the same in any order; only others need one.
    const isWhole = "value = floor(value) AND abs(value) <= 4294967296";
    const [whole, other] = [`${one} AND ${isWhole}`, `${one} AND NOT (${isWhole})`];
    const sum = `coalesce(sum(value) FILTER (WHERE ${whole}), 0) + coalesce(${dialect.orderedSum("value", other)}, 0)`;
    return [
      ...(isCounted(wanted) ? [`count(*) FILTER (WHERE ${one}) AS count${source}`] : []),
      ...(wanted.has("sum") || wanted.has("mean")
        ? [
            `CASE WHEN max(abs(value)) FILTER (WHERE ${one}) >= ${magnitudeMax} THEN ${magnitudeMax} ELSE ${sum} END AS sum${source}`,
          ]
        : []),
      ...(wanted.has("last") ? [`${dialect.latest("value", "occurred_at", one)} AS last${source}`] : []),
    ];
  });
}

function isCounted(wanted: ReadonlySet<FoldAggregate>): boolean {
  return wanted.has("count") || wanted.has("any") || wanted.has("mean");
}

/** The same columns over a window of rows that `outcomeFolds` made, which ascend by `order`: folds of folds. */
export function runningFolds(
  dialect: Dialect,
  variables: readonly UnitVariable[],
  window: string,
  order: string,
): string[] {
  const folded = variables.flatMap((variable) => (variable.kind === "fold" ? [variable] : []));
  return [...new Set(folded.map(({ source }) => source))].flatMap((source) => {
    const wanted = new Set(folded.filter((fold) => fold.source === source).map((fold) => fold.aggregate));
    return [
      ...(isCounted(wanted) ? [`sum(count${source}) OVER (${window}) AS count${source}`] : []),
      ...(wanted.has("sum") || wanted.has("mean")
        ? [`${dialect.runningSum(`sum${source}`, window)} AS sum${source}`]
        : []),
      ...(wanted.has("last")
        ? [
            `max_by(last${source}, CASE WHEN last${source} IS NOT NULL THEN ${order} END) OVER (${window}) AS last${source}`,
          ]
        : []),
    ];
  });
}

/** One number of whatever `outcomeFolds` was grouped by, which has `impressions`; 0 where there is nothing to fold. */
export function variableSql(variable: UnitVariable): string {
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
     WHERE below >= ${doubleSql(quantile)} * everybody) AS cap${i}`;
  const values = variables.map((_, i) =>
    caps[i] === undefined ? `v${i}` : `least(v${i}, cap${i}) AS v${i}`,
  );
  return [
    table("caps", `SELECT ${capped.map(cap).join(", ")}`),
    view("capped_values", `SELECT ${["unit", "arm", ...values].join(", ")} FROM unit_values CROSS JOIN caps`),
  ];
}
