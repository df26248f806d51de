/** From the rows that the queries answer to what is compared: each metric, and what was known of its units before. */
import type { Experiment } from "../domain/experiment.ts";
import {
  crossOf,
  type Estimate,
  estimateOfMean,
  estimateOfQuantile,
  estimateOfRatio,
  type JointMoments,
  marginalOf,
  type QuantileSums,
} from "../statistics/statistics.ts";
import type { Findings } from "./assemble.ts";
import { describeMetric } from "./describe-metric.ts";
import type { ResultRow } from "./engine.ts";
import { momentsIn, skewedIn } from "./exact-moments.ts";
import type { MetricPast } from "./health.ts";
import type { LogResults } from "./log-statements.ts";
import { type Measure, type MeasureHead, measureOf, type Places } from "./measure.ts";
import { defaultPast, type MetricLayout, metricLayouts, variablesOf } from "./metric-layout.ts";

export function logMeasures(
  experiment: Experiment,
  results: LogResults,
): Pick<Findings, "measures" | "pasts" | "skewed"> {
  const arms = experiment.arms.length;
  const units = experiment.arms.map((_, place) =>
    Number(results.arms.find((row) => Number(row["arm"]) === place)?.["units"] ?? 0),
  );
  const layouts = metricLayouts(experiment).metrics;
  const momentsOf = (layout: MetricLayout): JointMoments[] =>
    momentsIn(results.moments, variablesOf(layout), arms);
  const measures = layouts.map((layout, i): Measure => {
    const head = headOf(layout, results.caps);
    const { quantile } = layout.metric;
    return quantile === undefined
      ? logMeasure(layout, momentsOf(layout), head)
      : { ...head, cuped: undefined, arms: quantileArms(results.quantiles, i, units, quantile) };
  });
  return {
    measures,
    pasts: layouts.flatMap((layout) => pastOf(layout, momentsOf(layout))),
    skewed: layouts.flatMap(({ metric, numerator }) =>
      numerator === undefined
        ? []
        : [{ metric: metric.id, arms: skewedIn(results.moments, numerator, arms) }],
    ),
  };
}

/** Of a mean, share or ratio. @param moments by arm, of the layout's variables in their order. */
export function logMeasure(
  layout: MetricLayout,
  moments: readonly JointMoments[],
  head: MeasureHead = headOf(layout, []),
): Measure {
  const covariate =
    layout.covariates.length === 0
      ? undefined
      : { covariate: nameOf(layout), isNamed: layout.metric.covariate !== undefined };
  return measureOf(head, moments, placesOf(layout), covariate);
}

function headOf({ metric, numerator }: MetricLayout, caps: readonly ResultRow[]): MeasureHead {
  return {
    metric: metric.id,
    type: metric.type,
    role: metric.role,
    goal: metric.goal,
    definition: describeMetric(metric),
    margin: metric.margin,
    minimumEffect: metric.minimumEffect,
    winsorisedAt: capOf(caps, numerator, metric.winsorise),
  };
}

function nameOf({ metric, covariateKind }: MetricLayout): string {
  return covariateKind === "attribute"
    ? (metric.covariate ?? "")
    : `${metric.id}, ${metric.covariate ?? defaultPast} before`;
}

/** In the order of `variablesOf`. */
function placesOf({ denominator, covariates }: MetricLayout): Places {
  const first = denominator === undefined ? 1 : 2;
  return {
    numerator: 0,
    ...(denominator !== undefined && { denominator: 1 }),
    covariates: covariates.map((_, i) => first + i),
  };
}

function capOf(
  caps: readonly ResultRow[],
  variable: number | undefined,
  winsorise: number | undefined,
): number | undefined {
  const cap = caps[0]?.[`cap${variable}`];
  return winsorise === undefined || cap === undefined || cap === null ? undefined : Number(cap);
}

function pastOf(layout: MetricLayout, moments: readonly JointMoments[]): MetricPast[] {
  const { metric, covariates, covariateKind } = layout;
  if (covariates.length === 0) return [];
  const places = placesOf(layout).covariates;
  const past = moments.map(({ count, means, products }) => ({
    count,
    means: places.map((place) => means[place] as number),
    products: places.map((i) => places.map((j) => products[i]?.[j] as number)),
  }));
  if (covariateKind === "attribute") return [{ metric: metric.id, estimates: undefined, covariates: past }];
  // A denominator of requests has no past.
  const isRatio = covariates.length > 2;
  const estimates = past.map((arm): Estimate | undefined => {
    const estimate = isRatio ? estimateOfRatio(crossOf(arm, 1, 0)) : estimateOfMean(marginalOf(arm, 0));
    return estimate.ok ? estimate.value : undefined;
  });
  return [{ metric: metric.id, estimates, covariates: past }];
}

function quantileArms(
  rows: readonly ResultRow[],
  metric: number,
  units: readonly number[],
  quantile: number,
): Measure["arms"] {
  return units.map((count, arm) => {
    const buckets = rows
      .filter((row) => Number(row["metric"]) === metric && Number(row["arm"]) === arm)
      .map((row) => ({
        bucket: Number(row["bucket"]),
        events: Number(row["events"]),
        squares: Number(row["squares"]),
        products: Number(row["products"]),
      }))
      .sort((a, b) => a.bucket - b.bucket);
    const sums: QuantileSums = {
      units: count,
      events: buckets.reduce((sum, { events }) => sum + events, 0),
      // A unit's events, times all of them, over all of its buckets.
      eventsSquared: buckets.reduce((sum, { products }) => sum + products, 0),
      buckets,
    };
    const estimate = estimateOfQuantile(sums, quantile);
    return { units: count, value: estimate.ok ? estimate.value.value : null, estimate };
  });
}
