/** From what was measured of each arm to the report's metrics: every arm against control, and a sentence for each gap. */
import type { Gap, Measure } from "../measurement/measurement.ts";
import {
  alwaysValid,
  controlIsNearZero,
  difference,
  fieller,
  intervalOf,
  type Lift,
  liftOf,
  relativeLift,
} from "../statistics/statistics.ts";
import {
  adjustedPair,
  type Decision,
  decide,
  decidingPair,
  type Pair,
  plainPair,
  unitsOf,
} from "./decision.ts";
import type { Horizon } from "./plan.ts";
import { scoreOfRare } from "./rare-shares.ts";
import type { Comparison, CupedReport, MetricReport } from "./report.ts";

export interface Compared {
  readonly metric: MetricReport;
  /** One for each comparison, in their order. */
  readonly decisions: readonly Decision[];
  readonly warnings: readonly string[];
}

/** `arms` are names in the order of `measure.arms`; `control` is the place of the control among them. */
export function compareArms(
  measure: Measure,
  arms: readonly string[],
  control: number,
  alpha: number,
  horizon: Horizon,
): Compared {
  const base = measure.arms[control]?.estimate;
  const isNearZero = base?.ok === true && base.value.value !== 0 && controlIsNearZero(base.value);
  const warnings = gapsOf(measure, arms, isNearZero);
  const decisions: Decision[] = [];
  const comparisons = arms.flatMap((arm, i): Comparison[] => {
    if (i === control) return [];
    const plain = plainPair(measure, i, control);
    const decision = decide(measure, decidingPair(measure, i, control), alpha, arms.length - 1, horizon);
    decisions.push(decision);
    const { sequential, notWorse, minimumEffect } = decision;
    const postStratified = postStratifiedOf(measure, i, control, alpha);
    const score =
      measure.type === "proportion" ? scoreOfRare(measure.arms[i], measure.arms[control], alpha) : undefined;
    const set = isNearZero && plain !== undefined ? fieller(plain.treated, plain.control, alpha) : undefined;
    return [
      {
        arm,
        versus: arms[control] ?? "",
        ...compare(plain, alpha, horizon, `${measure.metric}, ${arm} against ${arms[control]}`, warnings),
        pValueAdjusted: null,
        method: measure.type === "ratio" || measure.type === "quantile" ? "delta" : "welch",
        cuped: cupedOf(measure, i, control, alpha),
        ...(postStratified !== undefined && { postStratified }),
        ...(set?.ok === true && { fieller: set.value }),
        ...(score !== undefined && { score }),
        ...(sequential !== undefined && { sequential }),
        ...(notWorse !== undefined && { notWorse }),
        ...(minimumEffect !== undefined && { minimumEffect }),
        ...(measure.winsorisedAt !== undefined && { winsorisedAt: measure.winsorisedAt }),
        adjusted: { pValue: null, method: "none" },
      },
    ];
  });
  const { metric, role, type, goal, definition } = measure;
  return {
    metric: {
      metric,
      role,
      type,
      goal,
      ...(definition !== undefined && { definition }),
      arms: measure.arms.map(({ units, value, estimate }, i) => ({
        arm: arms[i] ?? "",
        units,
        mean: value,
        standardError: estimate.ok ? Math.sqrt(estimate.value.variance) : null,
      })),
      comparisons,
    },
    decisions,
    warnings,
  };
}

function gapsOf(
  { metric, arms, cuped, postStratified }: Measure,
  names: readonly string[],
  isNearZero: boolean,
): string[] {
  const warnings: string[] = [];
  for (const [i, { estimate }] of arms.entries()) {
    if (!estimate.ok) warnings.push(`${metric}: arm ${names[i]} ${reasons[estimate.reason]}.`);
  }
  if (cuped?.isNamed === true && !cuped.adjusted.ok) {
    warnings.push(`${metric}: no CUPED with ${cuped.covariate}, since it ${reasons[cuped.adjusted.reason]}.`);
  }
  if (postStratified?.ok === false) {
    warnings.push(`${metric}: no post-stratification, since an arm ${reasons[postStratified.reason]}.`);
  }
  if (isNearZero) {
    warnings.push(
      `${metric}: control is within five standard errors of zero, so read the absolute difference: ` +
        "the relative interval is rough there.",
    );
  }
  return warnings;
}

type Core = Pick<Comparison, "absolute" | "relative" | "pValue" | "alwaysValid">;

/** Without a pair a warning was given already. */
function compare(
  pair: Pair | undefined,
  alpha: number,
  { tunedUnits }: Horizon,
  what: string,
  warnings: string[],
): Core {
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
    alwaysValid: alwaysValid(tested.value, unitsOf(pair), alpha, tunedUnits),
  };
}

function cupedOf(measure: Measure, arm: number, control: number, alpha: number): CupedReport | null {
  const lift = shownLift(adjustedPair(measure, arm, control), alpha);
  const { cuped } = measure;
  if (lift === undefined || cuped?.adjusted.ok !== true) return null;
  const { thetas, varianceReduction } = cuped.adjusted.value;
  return { covariate: cuped.covariate, theta: thetas[0] ?? 0, varianceReduction, ...lift };
}

function postStratifiedOf(
  { postStratified }: Measure,
  arm: number,
  control: number,
  alpha: number,
): Comparison["postStratified"] {
  if (postStratified?.ok !== true) return undefined;
  const { arms, strata, varianceReduction } = postStratified.value;
  const [treated, base] = [arms[arm], arms[control]];
  const pair = treated === undefined || base === undefined ? undefined : { treated, control: base };
  const lift = shownLift(pair, alpha);
  return lift && { strata, varianceReduction, ...lift };
}

function shownLift(pair: Pair | undefined, alpha: number): Omit<Lift, "standardError"> | undefined {
  const lift = pair && liftOf(pair.treated, pair.control, alpha);
  if (!lift) return undefined;
  const { absolute, relative, pValue } = lift;
  return { absolute, relative, pValue };
}

const reasons: Record<Gap, string> = {
  "no-units": "has no units yet",
  "one-unit": "has one unit only, and a standard error needs two",
  "no-variance": "has the same value for every unit, so there is no spread to measure against",
  "zero-denominator": "has a denominator of zero, so there is no ratio",
  "zero-control": "has a control of zero, and nothing can be a share of it",
  "no-covariate-variance": "has the same covariate for every unit",
  infinite: "has values too large to add up",
  "too-few-events": "has too few outcomes for that quantile",
};
