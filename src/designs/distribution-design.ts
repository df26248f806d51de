/** How the units are spread over a metric's values, arm beside arm: a mean says nothing of its tail, or of who did nothing. */

import type { Experiment } from "../domain/experiment.ts";
import {
  magnitudeMax,
  metricLayouts,
  type ResultRow,
  table,
  unitValuesOf,
  view,
} from "../measurement/measurement.ts";
import type { AskedDesign } from "./asked-design.ts";
import { type DesignMetric, designMetrics, leftOutWarnings } from "./design-metrics.ts";
import type { Distribution, DistributionBucket } from "./design-sections.ts";

/** At least as many closed buckets would be needed to tell the values apart, before their width is rounded to a plain number. */
const bucketsMax = 20;

/** Of the units whose value is not zero, on each side: beyond it the outermost buckets are open, where the tail is long. */
const tailShare = 0.025;

/** Beyond it two whole numbers side by side are one double, and a bucket of one is none. */
const countedMax = 1e15;

/** A part of the least doubles is 0, which has no logarithm. */
const widthMin = 1e-290;

/** A tail is long that would make the frame longer by more than this. */
const longTail = 0.25;

/**
 * Buckets are common to all arms, of one width that is 1, 2 or 5 times a power of ten; units whose value is exactly zero have
 * their own. A ratio's value is the unit's own, and units with a denominator of zero have none.
 */
export function distributionDesign(experiment: Experiment): AskedDesign {
  const { arms } = experiment;
  const { metrics, leftOut } = designMetrics(experiment);
  const units = unitValuesOf(metricLayouts(experiment));
  const valuesOf = ({ inLayout: [numerator, denominator] }: DesignMetric, metric: number): string => {
    const value = denominator === undefined ? `v${numerator}` : `v${numerator} / v${denominator}`;
    const where = denominator === undefined ? "" : `WHERE v${denominator} <> 0`;
    return `SELECT ${metric} AS metric, arm, ${value} AS value FROM ${units} ${where}`;
  };
  const below = (share: number): string => `min(CASE WHEN below >= ${share}e0 * everybody THEN value END)`;
  const far = `${longTail}e0 * (upper - lower)`;
  // Rounded, so that the last digit of a logarithm or a quotient, which two engines may differ in, decides nothing.
  const tens = "floor(round(log10(width), 9))";
  const share = "round(width / pow(10e0, tens), 9)";
  const placeOf = (value: string): string => `floor(round(${value} / bucket_size, 9))`;
  return {
    design: {
      relations: [
        table(
          "value_counts",
          `SELECT metric, arm, value, count(*) AS units FROM (${metrics.map(valuesOf).join(" UNION ALL ")}) valued
           WHERE abs(value) < ${magnitudeMax}
           GROUP BY metric, arm, value`,
        ),
        // An open end never reaches over zero, so that what is below nothing stays apart from what is above.
        view(
          "value_frames",
          `SELECT metric, least_above, whole,
                  CASE WHEN least >= 0 OR least >= lower - ${far} THEN least ELSE least(lower, 0e0) END AS low,
                  CASE WHEN most <= 0 OR most <= upper + ${far} THEN most ELSE greatest(upper, 0e0) END AS high
           FROM (SELECT metric, min(value) AS least, max(value) AS most,
                        ${below(tailShare)} AS lower, ${below(1 - tailShare)} AS upper,
                        min(CASE WHEN value > 0 THEN value END) AS least_above,
                        min(CASE WHEN value = floor(value) THEN 1 ELSE 0 END) AS whole
                 FROM (SELECT metric, value, sum(units) OVER (PARTITION BY metric ORDER BY value) AS below,
                              sum(units) OVER (PARTITION BY metric) AS everybody
                       FROM (SELECT metric, value, sum(units) AS units FROM value_counts WHERE value <> 0
                             GROUP BY metric, value) pooled) ranked
                 GROUP BY metric) spread`,
        ),
        view(
          "value_widths",
          `SELECT metric, least_above, low, high, width, ${tens} AS tens
           FROM (SELECT metric, least_above, low, high,
                        greatest(${widthMin}, CASE WHEN high = low THEN CASE WHEN whole = 1 AND abs(high) < ${countedMax} THEN 1e0 ELSE abs(high) / 1e1 END
                             WHEN whole = 1 THEN greatest((high - low) / ${bucketsMax}e0, 1e0)
                             ELSE (high - low) / ${bucketsMax}e0 END) AS width
                 FROM value_frames) widths`,
        ),
        table(
          "value_buckets",
          `SELECT metric, least_above, tens, part, bucket_size, ${placeOf("low")} AS first_place, ${placeOf("high")} AS last_place
           FROM (SELECT metric, least_above, low, high, tens, part, part * pow(10e0, tens) AS bucket_size
                 FROM (SELECT metric, least_above, low, high, tens,
                              CASE WHEN ${share} <= 1 THEN 1e0 WHEN ${share} <= 2 THEN 2e0 WHEN ${share} <= 5 THEN 5e0 ELSE 1e1 END AS part
                       FROM value_widths) parts) sizes`,
        ),
      ],
      queries: {
        design_value_buckets:
          "SELECT metric, least_above, CAST(tens AS INTEGER) AS tens, CAST(part AS INTEGER) AS part, first_place, last_place FROM value_buckets",
        // Places from the first: 0 and more; -1 below it, and one beyond the last above that.
        design_values: `
          SELECT metric, arm, place, sum(units) AS units
          FROM (SELECT value_counts.metric AS metric, arm, units,
                       CASE WHEN value = 0 THEN NULL ELSE CAST(greatest(least(${placeOf("value")}, last_place + 1), first_place - 1) - first_place AS INTEGER) END AS place
                FROM value_counts LEFT JOIN value_buckets ON value_buckets.metric = value_counts.metric) placed
          GROUP BY metric, arm, place`,
      },
    },
    findings(results) {
      const rows = results["design_values"] ?? [];
      const frames = new Map(
        (results["design_value_buckets"] ?? []).map((row) => [Number(row["metric"]), row]),
      );
      const distributions = metrics.flatMap(({ metric }, m) => {
        const own = rows.filter((row) => Number(row["metric"]) === m);
        const edges = edgesOf(own, frames.get(m));
        return own.length === 0
          ? []
          : arms.map(
              ({ id }, arm): Distribution => ({
                metric: metric.id,
                arm: id,
                buckets: edges.map(({ place, from, to }) => ({ from, to, units: unitsAt(own, arm, place) })),
              }),
            );
      });
      return {
        sections: { distributions },
        warnings: leftOutWarnings(
          "Distributions",
          leftOut,
          "a quantile is over outcomes, and no unit has a value",
        ),
      };
    },
  };
}

type Edges = Pick<DistributionBucket, "from" | "to"> & { readonly place: number | undefined };

const placeIn = (row: ResultRow): number | undefined =>
  row["place"] === null || row["place"] === undefined ? undefined : Number(row["place"]);

function unitsAt(rows: readonly ResultRow[], arm: number, place: number | undefined): number {
  return Number(rows.find((row) => Number(row["arm"]) === arm && placeIn(row) === place)?.["units"] ?? 0);
}

/** From the outermost bucket that any arm has units in to the other one, in the order of their values. */
function edgesOf(rows: readonly ResultRow[], frame: ResultRow | undefined): Edges[] {
  const zero: Edges = { place: undefined, from: 0, to: 0 };
  const hasZero = rows.some((row) => placeIn(row) === undefined);
  const places = rows.flatMap((row) => placeIn(row) ?? []);
  if (frame === undefined || places.length === 0) return hasZero ? [zero] : [];
  const [first, last, part, tens] = ["first_place", "last_place", "part", "tens"].map((name) =>
    Number(frame[name]),
  ) as [number, number, number, number];
  // Parsed as a decimal: 3 * 0.1 is not 0.3.
  const edge = (place: number): number => Number(`${(first + place) * part}e${tens}`);
  const [lowest, highest] = [Math.min(...places), Math.max(...places)];
  const buckets = Array.from({ length: highest - lowest + 1 }, (_, i): Edges => {
    const place = lowest + i;
    const from = place < 0 ? null : edge(place);
    return {
      place,
      // Zero is a bucket of its own: the one behind it begins with the least value above.
      from: from === 0 && hasZero ? Number(frame["least_above"]) : from,
      to: place > last - first ? null : edge(place + 1),
    };
  });
  if (!hasZero) return buckets;
  const behind = buckets.findIndex(({ place }) => first + (place as number) >= 0);
  return behind < 0 ? [...buckets, zero] : [...buckets.slice(0, behind), zero, ...buckets.slice(behind)];
}
