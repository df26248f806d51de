/** From the moments of each arm to the report's metrics: every arm against control, and a sentence for each gap. */
import {
  type Answer,
  alwaysValid,
  controlIsNearZero,
  cuped,
  difference,
  type Estimate,
  type Interval,
  type NonAnswer,
  relativeLift,
} from "../statistics/statistics.ts";
import { armValue, estimateOf, type Measure } from "./measure.ts";
import type { Comparison, CupedReport, MetricReport } from "./report.ts";

export interface Compared {
  readonly metric: MetricReport;
  readonly warnings: readonly string[];
}

/** `arms` are names in the order of `measure.moments`; `control` is the place of the control among them. */
export function compareArms(
  measure: Measure,
  arms: readonly string[],
  control: number,
  alpha: number,
): Compared {
  const warnings: string[] = [];
  const estimates = measure.moments.map((moments) => estimateOf(measure, moments));
  for (const [i, estimate] of estimates.entries()) {
    if (!estimate.ok) warnings.push(`${measure.metric}: arm ${arms[i]} ${reasons[estimate.reason]}.`);
  }
  const values = measure.moments.map((moments, i) => {
    const estimate = estimates[i];
    return {
      arm: arms[i] ?? "",
      units: moments.count,
      mean: armValue(measure, moments),
      standardError: estimate?.ok ? Math.sqrt(estimate.value.variance) : null,
    };
  });
  const adjusted = adjust(measure, warnings);
  const base = estimates[control];
  if (base?.ok && base.value.value !== 0 && controlIsNearZero(base.value)) {
    warnings.push(
      `${measure.metric}: control is within five standard errors of zero, so read the absolute difference: ` +
        "the relative interval is rough there.",
    );
  }
  const comparisons = arms.flatMap((arm, i) => {
    if (i === control) return [];
    const plain = both(estimates[i], base);
    return [
      {
        arm,
        versus: arms[control] ?? "",
        ...compare(plain, alpha, `${measure.metric}, ${arm} against ${arms[control]}`, warnings),
        pValueAdjusted: null,
        method: measure.type === "ratio" ? ("delta" as const) : ("welch" as const),
        cuped: adjusted === undefined ? null : cupedOf(adjusted, measure, i, control, alpha),
      },
    ];
  });
  const { metric, role, type, goal } = measure;
  return { metric: { metric, role, type, goal, arms: values, comparisons }, warnings };
}

interface Pair {
  readonly treated: Estimate;
  readonly control: Estimate;
}

/** Undefined where an arm has no estimate, of which a warning was already given. */
function both(
  treated: Answer<Estimate> | undefined,
  control: Answer<Estimate> | undefined,
): Pair | undefined {
  return treated?.ok && control?.ok ? { treated: treated.value, control: control.value } : undefined;
}

type Core = Pick<Comparison, "absolute" | "relative" | "pValue" | "alwaysValid">;

function compare(pair: Pair | undefined, alpha: number, what: string, warnings: string[]): Core {
  const none = { absolute: null, relative: null, pValue: null, alwaysValid: null };
  if (pair === undefined) return none;
  const tested = difference(pair.treated, pair.control, alpha);
  if (!tested.ok) {
    warnings.push(`${what}: no test, since the comparison ${reasons[tested.reason]}.`);
    return none;
  }
  const relative = relativeLift(pair.treated, pair.control, alpha);
  if (!relative.ok)
    warnings.push(`${what}: no relative lift, since the comparison ${reasons[relative.reason]}.`);
  return {
    absolute: intervalOf(tested.value),
    relative: relative.ok ? relative.value : null,
    pValue: tested.value.pValue,
    alwaysValid: alwaysValid(tested.value, pair.treated.units + pair.control.units, alpha),
  };
}

type Adjustment = { theta: number; varianceReduction: number; arms: readonly Estimate[] };

function adjust(measure: Measure, warnings: string[]): Adjustment | undefined {
  if (measure.covariate === undefined) return undefined;
  const adjusted = cuped(measure.moments);
  if (adjusted.ok) return adjusted.value;
  warnings.push(
    `${measure.metric}: no CUPED with ${measure.covariate}, since it ${reasons[adjusted.reason]}.`,
  );
  return undefined;
}

function cupedOf(
  adjusted: Adjustment,
  measure: Measure,
  arm: number,
  control: number,
  alpha: number,
): CupedReport | null {
  const treated = adjusted.arms[arm];
  const base = adjusted.arms[control];
  if (treated === undefined || base === undefined || measure.covariate === undefined) return null;
  const tested = difference(treated, base, alpha);
  if (!tested.ok) return null;
  const relative = relativeLift(treated, base, alpha);
  return {
    covariate: measure.covariate,
    theta: adjusted.theta,
    varianceReduction: adjusted.varianceReduction,
    absolute: intervalOf(tested.value),
    relative: relative.ok ? relative.value : null,
    pValue: tested.value.pValue,
  };
}

function intervalOf({ estimate, ciLow, ciHigh }: Interval): Interval {
  return { estimate, ciLow, ciHigh };
}

const reasons: Record<NonAnswer, string> = {
  "no-units": "has no units yet",
  "one-unit": "has one unit only, and a standard error needs two",
  "no-variance": "has the same value for every unit, so there is no spread to measure against",
  "zero-denominator": "has a denominator of zero, so there is no ratio",
  "zero-control": "has a control of zero, and nothing can be a share of it",
  "no-covariate-variance": "has the same covariate for every unit",
  infinite: "has values too large to add up",
};
