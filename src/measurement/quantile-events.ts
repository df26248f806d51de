/** Quantile metrics: events by bucket of values, and what a variance that is clustered by unit needs of them. */

import { type QuantileSums, valueBuckets } from "../statistics/statistics.ts";
import { numberIn, type ResultRow } from "./engine.ts";
import { isOf } from "./happened.ts";
import type { MetricLayouts } from "./metric-layout.ts";
import { type Relation, table } from "./relation.ts";

/** `unit_events`, where a metric is a quantile: how many events of each such metric a unit has in each bucket of values. */
export function unitEvents({ metrics }: MetricLayouts): Relation[] {
  const { smallest, logGrowth, offset } = valueBuckets;
  // Rounded, so that the last digit of a logarithm, which two engines may differ in, decides nothing.
  const size = `greatest(1e0, ceil(round(ln(abs(value)) / ${logGrowth}, 9)) + ${offset})`;
  const bucket = `CAST(CASE WHEN abs(value) < ${smallest} THEN 0e0 WHEN value > 0 THEN ${size} ELSE -(${size}) END AS INTEGER)`;
  const parts = metrics.flatMap(({ events }, metric) =>
    events === undefined
      ? []
      : [
          `SELECT unit, ${metric} AS metric, ${bucket} AS bucket, count(*) AS events FROM happened
           WHERE ${isOf(events)} GROUP BY unit, ${bucket}`,
        ],
  );
  return parts.length === 0 ? [] : [table("unit_events", parts.join(" UNION ALL "))];
}

/** With J a unit's events up to a bucket and N all of them: J^2 grows there by `e (2 J - e)` and J N by `e N`. */
export function quantilesQuery({ metrics }: MetricLayouts): string {
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

/** Of each arm the sums of one metric. @param units by arm. */
export function quantileSumsIn(
  rows: readonly ResultRow[],
  metric: number,
  units: readonly number[],
): QuantileSums[] {
  return units.map((count, arm) => {
    const buckets = rows
      .filter((row) => Number(row["metric"]) === metric && Number(row["arm"]) === arm)
      .map((row) => ({
        bucket: numberIn(row, "bucket"),
        events: numberIn(row, "events"),
        squares: numberIn(row, "squares"),
        products: numberIn(row, "products"),
      }))
      .sort((a, b) => a.bucket - b.bucket);
    return {
      units: count,
      events: buckets.reduce((sum, { events }) => sum + events, 0),
      // A unit's events, times all of them, over all of its buckets.
      eventsSquared: buckets.reduce((sum, { products }) => sum + products, 0),
      buckets,
    };
  });
}
