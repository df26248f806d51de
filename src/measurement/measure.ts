import type { Metric } from "../domain/experiment.ts";
import {
  type AdjustedArms,
  type Answer,
  adjustedArms,
  crossOf,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
  type JointMoments,
  marginalOf,
  type NonAnswer,
  type PostStratified,
} from "../statistics/statistics.ts";

/** One metric as it came out of the log or a table, arms in the report's order. */
export interface Measure extends MeasureHead {
  readonly arms: readonly MeasuredArm[];
  readonly cuped: MeasuredCovariate | undefined;
  /** Where strata are declared. */
  readonly postStratified?: Answer<PostStratified> | undefined;
}

export interface MeasureHead {
  readonly metric: string;
  readonly type: Metric["type"];
  readonly role: Metric["role"];
  readonly goal: Metric["goal"];
  /** One sentence; undefined where nobody declared the metric. */
  readonly definition?: string | undefined;
  /** Share of control. */
  readonly margin?: number | undefined;
  /** Share of control. */
  readonly minimumEffect?: number | undefined;
  readonly winsorisedAt?: number | undefined;
}

export interface MeasuredArm {
  readonly units: number;
  /** Also where there are too few units for a standard error. */
  readonly value: number | null;
  readonly estimate: Answer<Estimate, Gap>;
}

export type Gap = NonAnswer | "too-few-events";

export interface MeasuredCovariate {
  readonly covariate: string;
  /** Whether somebody asked for it: then a reason for having none is worth a warning. */
  readonly isNamed: boolean;
  readonly adjusted: Answer<AdjustedArms>;
}

/** Which variable of the moments is what. */
export interface Places {
  readonly numerator: number;
  readonly denominator?: number | undefined;
  readonly covariates: readonly number[];
}

/** Numerator, denominator, covariates. */
export function variablesOf({
  numerator,
  denominator,
  covariates,
}: Omit<Places, "numerator"> & { readonly numerator: number | undefined }): number[] {
  return [numerator, denominator, ...covariates].filter((one) => one !== undefined);
}

/** The places of a metric's variables in moments of these alone, in the order of `own`. */
export function placesAmong(own: readonly number[], { numerator, denominator, covariates }: Places): Places {
  return {
    numerator: own.indexOf(numerator),
    denominator: denominator === undefined ? undefined : own.indexOf(denominator),
    covariates: covariates.map((variable) => own.indexOf(variable)),
  };
}

export function measureOf(
  head: MeasureHead,
  moments: readonly JointMoments[],
  { numerator, denominator, covariates }: Places,
  covariate: Pick<MeasuredCovariate, "covariate" | "isNamed"> | undefined,
): Measure {
  const arms = moments.map((arm): MeasuredArm => {
    const isRatio = denominator !== undefined;
    const mean = arm.means[numerator] as number;
    const value = isRatio ? mean / (arm.means[denominator] as number) : mean;
    return {
      units: arm.count,
      value: arm.count > 0 && Number.isFinite(value) ? value : null,
      estimate: isRatio
        ? estimateOfRatio(crossOf(arm, denominator, numerator))
        : estimateOfMean(marginalOf(arm, numerator)),
    };
  });
  const outcome = { numerator, covariates, ...(denominator !== undefined && { denominator }) };
  return {
    ...head,
    arms,
    cuped: covariate === undefined ? undefined : { ...covariate, adjusted: adjustedArms(moments, outcome) },
  };
}
