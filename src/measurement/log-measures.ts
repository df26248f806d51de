/** From the rows that the queries answer to what is judged: each metric, and what was known of its units before. */
import type { Experiment } from "../domain/experiment.ts";
import {
  crossOf,
  type Estimate,
  estimateOfMean,
  estimateOfQuantile,
  estimateOfRatio,
  type JointMoments,
  jointAmong,
  marginalOf,
} from "../statistics/statistics.ts";
import { describeMetric } from "./describe-metric.ts";
import { numberIn, type ResultRow } from "./engine.ts";
import { momentsIn, skewedIn } from "./exact-moments.ts";
import type { LogResults } from "./log-statements.ts";
import { strataIn } from "./log-strata.ts";
import { timingsIn } from "./log-timings.ts";
import {
  type Measure,
  type MeasureHead,
  measureOf,
  type Places,
  placesAmong,
  variablesOf,
} from "./measure.ts";
import type { Measured, MetricPast } from "./measured.ts";
import { defaultPast, type MetricLayout, metricLayouts } from "./metric-layout.ts";
import { quantileSumsIn } from "./quantile-events.ts";

export function measuredLog(experiment: Experiment, results: LogResults): Measured {
  const arms = experiment.arms.length;
  const counted = experiment.arms.map((_, place) => results.arms.find((row) => Number(row["arm"]) === place));
  const units = counted.map((row) => numberIn(row, "units"));
  const layouts = metricLayouts(experiment).metrics;
  const momentsOf = (layout: MetricLayout): JointMoments[] =>
    momentsIn(results.moments, variablesOf(layout), arms);
  return {
    measures: layouts.map((layout, i): Measure => {
      const head = headOf(layout, results.caps);
      const { quantile } = layout.metric;
      return quantile === undefined
        ? logMeasure(layout, momentsOf(layout), head)
        : { ...head, cuped: undefined, arms: quantileArms(results.quantiles, i, units, quantile) };
    }),
    pasts: layouts.flatMap((layout) => pastOf(layout, momentsOf(layout))),
    skewed: layouts.flatMap(({ metric, numerator }) =>
      numerator === undefined
        ? []
        : [{ metric: metric.id, arms: skewedIn(results.moments, numerator, arms) }],
    ),
    strata: strataIn(results.strata, arms),
    exposed: counted.map((row) => ({ assigned: numberIn(row, "ranked"), exposed: numberIn(row, "served") })),
    timings: timingsIn(results.timings, arms),
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

/** Among the layout's own variables; a quantile has none. */
function placesOf(layout: MetricLayout): Places {
  return placesAmong(variablesOf(layout), { ...layout, numerator: layout.numerator as number });
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
  const past = moments.map((arm) => jointAmong(arm, places));
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
  return quantileSumsIn(rows, metric, units).map((sums) => {
    const estimate = estimateOfQuantile(sums, quantile);
    return { units: sums.units, value: estimate.ok ? estimate.value.value : null, estimate };
  });
}
