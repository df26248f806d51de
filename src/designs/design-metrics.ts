/** What a design folds of the outcomes that it looks at: each metric's numerator and denominator, as they are, without covariates or caps. */

import type { Experiment, Metric } from "../domain/experiment.ts";
import {
  isOf,
  type MetricLayout,
  metricLayouts,
  pairsWithin,
  type UnitVariable,
  variablesOf,
} from "../measurement/measurement.ts";
import {
  type Answer,
  type CrossMoments,
  crossOf,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
  type JointMoments,
  type Lift,
  liftOf,
  marginalOf,
  type NonAnswer,
  unitDenominator,
} from "../statistics/statistics.ts";

export interface DesignMetrics {
  readonly metrics: readonly DesignMetric[];
  readonly variables: readonly UnitVariable[];
  /** Of no mean, share or ratio. */
  readonly leftOut: readonly Metric[];
}

export interface DesignMetric {
  readonly metric: Metric;
  /** Places among the variables: the numerator's, and a ratio's denominator's. */
  readonly own: readonly number[];
  /** And among those of the whole layout. */
  readonly inLayout: readonly number[];
  /** Whether it is over its requests, so that each request has its part of the numerator. */
  readonly isPerRequest: boolean;
}

export function designMetrics(experiment: Pick<Experiment, "metrics" | "unit">): DesignMetrics {
  const layouts = metricLayouts(experiment);
  const places: number[] = [];
  const placeOf = (inLayout: number): number => {
    const place = places.indexOf(inLayout);
    return place < 0 ? places.push(inLayout) - 1 : place;
  };
  const metrics = layouts.metrics.flatMap((layout): DesignMetric[] => {
    const inLayout = ownOf(layout);
    if (inLayout.length === 0) return [];
    return [
      {
        metric: layout.metric,
        own: inLayout.map(placeOf),
        inLayout,
        isPerRequest: layout.metric.denominator?.aggregate === "requests",
      },
    ];
  });
  return {
    metrics,
    variables: places.map((place) => layouts.variables[place] as UnitVariable),
    leftOut: layouts.metrics.flatMap((layout) => (ownOf(layout).length === 0 ? [layout.metric] : [])),
  };
}

function ownOf(layout: MetricLayout): number[] {
  return variablesOf({ ...layout, covariates: [] });
}

/**
 * The metrics of which each request, and each item, has its part: means, shares, and what is over the requests, by their
 * numerators. Another denominator would have its parts too.
 */
export function requestMetrics(experiment: Pick<Experiment, "metrics" | "unit">): {
  readonly metrics: readonly Metric[];
  readonly values: readonly UnitVariable[];
  readonly leftOut: readonly Metric[];
} {
  const { metrics, variables, leftOut } = designMetrics(experiment);
  const hasParts = metrics.filter(({ own, isPerRequest }) => own.length === 1 || isPerRequest);
  return {
    metrics: hasParts.map(({ metric }) => metric),
    values: hasParts.map(({ own }) => variables[own[0] as number] as UnitVariable),
    leftOut: [...leftOut, ...metrics.filter((one) => !hasParts.includes(one)).map(({ metric }) => metric)],
  };
}

/** The columns of `happened` that folds of these variables read. */
export function readOfHappened(variables: readonly UnitVariable[]): string[] {
  const sources = variables.flatMap((one) => (one.kind === "fold" ? [one.source] : []));
  return ["value", "occurred_at", ...[...new Set(sources)].map(isOf)];
}

/** @param moments of the metric's own variables, in their order. */
export function estimateOf({ own }: DesignMetric, moments: JointMoments): Answer<Estimate, NonAnswer> {
  return own.length === 2 ? estimateOfRatio(crossOf(moments, 1, 0)) : estimateOfMean(marginalOf(moments, 0));
}

/** Null where one of the two has no estimate, or the two cannot be compared. */
export function liftBetween(
  treated: Answer<Estimate, string>,
  control: Answer<Estimate, string>,
  alpha: number,
): Lift | null {
  return treated.ok && control.ok ? liftOf(treated.value, control.value, alpha) : null;
}

/** @param moments as above; of what is no ratio the denominator is 1. */
export function crossMomentsOf({ own }: DesignMetric, moments: JointMoments): CrossMoments {
  return own.length === 2 ? crossOf(moments, 1, 0) : unitDenominator(marginalOf(moments, 0));
}

/** The pairs of each metric's own variables, those of `places` in their stead. */
export function ownPairs(
  metrics: readonly DesignMetric[],
  places: (metric: DesignMetric) => readonly number[] = ({ own }) => own,
): [number, number][] {
  return pairsWithin(metrics.map(places));
}

/** A warning for each of the metrics, where there are some. */
export function leftOutWarnings(design: string, metrics: readonly Metric[], why: string): string[] {
  return metrics.map(({ id }) => `${design}: ${id} is left out, since ${why}.`);
}
