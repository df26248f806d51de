import type { Metric } from "../domain/experiment.ts";
import {
  type Answer,
  type CrossMoments,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
  marginalY,
} from "../statistics/statistics.ts";
import type { MetricType } from "./report.ts";

/** One metric as it came out of the tables: the moments of each arm's units, arms in the report's order. */
export interface Measure {
  readonly metric: string;
  readonly type: MetricType;
  readonly role: Metric["role"];
  readonly goal: Metric["goal"];
  /** The column that `x` holds where it is a covariate. */
  readonly covariate: string | undefined;
  /** `y` is the value, or a ratio's numerator; `x` the covariate, or a ratio's denominator, or zero. */
  readonly moments: readonly CrossMoments[];
}

/** The arm's value and standard error. */
export function estimateOf(measure: Measure, moments: CrossMoments): Answer<Estimate> {
  return measure.type === "ratio" ? estimateOfRatio(moments) : estimateOfMean(marginalY(moments));
}

/** The arm's value also where there are too few units for a standard error. */
export function armValue(measure: Measure, moments: CrossMoments): number | null {
  if (moments.count === 0) return null;
  const value = measure.type === "ratio" ? moments.meanY / moments.meanX : moments.meanY;
  return Number.isFinite(value) ? value : null;
}
