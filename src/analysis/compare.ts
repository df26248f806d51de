/** From what was measured of each arm to the report's metrics: every arm against control, and a sentence for each gap. */
import {
  type Answer,
  alwaysValid,
  controlIsNearZero,
  type Difference,
  difference,
  type Estimate,
  fieller,
  type Interval,
  notWorse,
  relativeLift,
  repeatedInterval,
  type SequentialBounds,
  simultaneousAlpha,
  stagewiseResult,
} from "../statistics/statistics.ts";
import type { Gap, Measure, MeasuredCovariate } from "./measure.ts";
import { judgeMinimumEffect } from "./minimum-effect.ts";
import { type Horizon, oneSidedTest } from "./plan.ts";
import { scoreOfRare } from "./rare-shares.ts";
import type { Comparison, CupedReport, MetricReport } from "./report.ts";
import type { MinimumEffectReport, NotWorseReport, SequentialReport } from "./report-sections.ts";

export interface Compared {
  readonly metric: MetricReport;
  /** One for each comparison, in their order. */
  readonly decisions: readonly Decision[];
  readonly warnings: readonly string[];
}

/** What a comparison is decided by: with CUPED where there is one, and by the plan's own test. */
export interface Decision {
  /** Of "no difference"; undefined where there is no test. */
  readonly pValue: number | undefined;
  /** Of a group-sequential plan: whether a bound is crossed. */
  readonly crossed: boolean | undefined;
  readonly direction: "better" | "worse" | undefined;
  readonly effect: DecidedEffect | undefined;
  readonly notWorse: NotWorseReport | null;
  readonly minimumEffect: MinimumEffectReport | null;
  readonly margin: MarginState;
}

/** `passed`: worse by more than it; `untested`: there is one, and the values say nothing of it (control is zero, say). */
export type MarginState = "none" | "kept" | "passed" | "open" | "untested";

/** The difference that was decided on, in the metric's unit, and within what it lies as the plan has it looked at. */
export interface DecidedEffect extends Interval {
  /** As a share of control's absolute value. */
  readonly lift: number | undefined;
  /** The interval's level is `1 - alpha`. */
  readonly alpha: number;
  /** At one look, at all those of a group-sequential plan together, or whenever one looks. */
  readonly holds: "once" | "at-looks" | "always";
}

/** `arms` are names in the order of `measure.arms`; `control` is the place of the control among them. */
export function compareArms(
  measure: Measure,
  arms: readonly string[],
  control: number,
  alpha: number,
  horizon: Horizon,
): Compared {
  const warnings: string[] = [];
  for (const [i, { estimate }] of measure.arms.entries()) {
    if (!estimate.ok) warnings.push(`${measure.metric}: arm ${arms[i]} ${reasons[estimate.reason]}.`);
  }
  const values = measure.arms.map(({ units, value, estimate }, i) => ({
    arm: arms[i] ?? "",
    units,
    mean: value,
    standardError: estimate.ok ? Math.sqrt(estimate.value.variance) : null,
  }));
  const { cuped } = measure;
  if (cuped?.isNamed === true && !cuped.adjusted.ok) {
    warnings.push(
      `${measure.metric}: no CUPED with ${cuped.covariate}, since it ${reasons[cuped.adjusted.reason]}.`,
    );
  }
  if (measure.postStratified?.ok === false) {
    warnings.push(
      `${measure.metric}: no post-stratification, since an arm ${reasons[measure.postStratified.reason]}.`,
    );
  }
  const base = measure.arms[control]?.estimate;
  const isNearZero = base?.ok === true && base.value.value !== 0 && controlIsNearZero(base.value);
  if (isNearZero) {
    warnings.push(
      `${measure.metric}: control is within five standard errors of zero, so read the absolute difference: ` +
        "the relative interval is rough there.",
    );
  }
  const decisions: Decision[] = [];
  const comparisons = arms.flatMap((arm, i): Comparison[] => {
    if (i === control) return [];
    const plain = both(measure.arms[i]?.estimate, base);
    const best = decidingPair(measure, i, control);
    const sequential = sequentialOf(best, alpha, horizon);
    const decision = decide(measure, best, { alpha, compared: arms.length - 1 }, horizon, sequential);
    decisions.push(decision);
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
        cuped: cupedOf(cuped, i, control, alpha),
        ...postStratifiedOf(measure.postStratified, i, control, alpha),
        ...(set?.ok === true && { fieller: set.value }),
        ...(score !== undefined && { score }),
        ...(sequential !== undefined && { sequential }),
        ...(decision.notWorse !== null && { notWorse: decision.notWorse }),
        ...(decision.minimumEffect !== null && { minimumEffect: decision.minimumEffect }),
        ...(measure.winsorisedAt !== undefined && { winsorisedAt: measure.winsorisedAt }),
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
      arms: values,
      comparisons,
    },
    decisions,
    warnings,
  };
}

/** Two arms' estimates. */
export interface Pair {
  readonly treated: Estimate;
  readonly control: Estimate;
}

/** What a comparison is decided by: what CUPED makes of the arms where it can be had. */
export function decidingPair(measure: Measure, arm: number, control: number): Pair | undefined {
  return (
    adjustedPair(measure.cuped, arm, control) ??
    both(measure.arms[arm]?.estimate, measure.arms[control]?.estimate)
  );
}

/** Undefined where an arm has no estimate, of which a warning was already given. */
function both(
  treated: Answer<Estimate, Gap> | undefined,
  control: Answer<Estimate, Gap> | undefined,
): Pair | undefined {
  return treated?.ok && control?.ok ? { treated: treated.value, control: control.value } : undefined;
}

function adjustedPair(cuped: MeasuredCovariate | undefined, arm: number, control: number): Pair | undefined {
  if (cuped?.adjusted.ok !== true) return undefined;
  const { arms } = cuped.adjusted.value;
  const [treated, base] = [arms[arm], arms[control]];
  return treated === undefined || base === undefined ? undefined : { treated, control: base };
}

type Core = Pick<Comparison, "absolute" | "relative" | "pValue" | "alwaysValid">;

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

function unitsOf({ treated, control }: Pair): number {
  return treated.units + control.units;
}

function sequentialOf(
  pair: Pair | undefined,
  alpha: number,
  { design }: Horizon,
): SequentialReport | undefined {
  if (pair === undefined || design === undefined) return undefined;
  const tested = difference(pair.treated, pair.control, alpha);
  if (!tested.ok) return undefined;
  const { statistic } = tested.value;
  return { look: design.bounds.length, statistic, bounds: design, crossed: isCrossed(design, statistic) };
}

function isCrossed({ bounds }: SequentialBounds, statistic: number): boolean {
  return Math.abs(statistic) > (bounds.at(-1) ?? Number.POSITIVE_INFINITY);
}

/** Whether the plan would call the difference one at this look, before any adjustment for other tests. */
export function isDifferenceShown(
  pair: Pair,
  tested: Difference,
  alpha: number,
  { report, design, tunedUnits }: Horizon,
): boolean {
  switch (report.kind) {
    case "fixed":
      return tested.pValue < alpha;
    case "always-valid":
      return alwaysValid(tested, unitsOf(pair), alpha, tunedUnits).pValue < alpha;
    case "group-sequential":
      return design !== undefined && isCrossed(design, tested.statistic);
  }
}

function decide(
  { goal, margin, minimumEffect }: Measure,
  pair: Pair | undefined,
  { alpha, compared }: { readonly alpha: number; readonly compared: number },
  horizon: Horizon,
  sequential: SequentialReport | undefined,
): Decision {
  const none = {
    crossed: undefined,
    direction: undefined,
    effect: undefined,
    notWorse: null,
    minimumEffect: null,
    margin: margin === undefined ? "none" : "untested",
  } as const;
  if (pair === undefined) return { ...none, pValue: undefined };
  const tested = difference(pair.treated, pair.control, alpha);
  if (!tested.ok) return { ...none, pValue: undefined };
  const { estimate, standardError } = tested.value;
  const { report, tunedUnits, design } = horizon;
  const isBetter = estimate > 0 === (goal === "increase");
  // Any arm that keeps it may be the one that is taken, so each has its part of alpha.
  const judged =
    margin === undefined
      ? undefined
      : judgeMargin(pair, goal, margin, simultaneousAlpha(alpha, compared), horizon);
  const always = alwaysValid(tested.value, unitsOf(pair), alpha, tunedUnits);
  const relative = relativeLift(pair.treated, pair.control, alpha);
  const pValueNow = (): number | undefined => {
    if (report.kind === "fixed") return tested.value.pValue;
    if (report.kind === "always-valid") return always.pValue;
    if (design === undefined) return undefined;
    const stagewise = stagewiseResult(design, { estimate, standardError });
    return stagewise.ok ? stagewise.value.pValue : undefined;
  };
  const within = (): Interval & Pick<DecidedEffect, "alpha" | "holds"> => {
    if (report.kind === "fixed") return { ...tested.value, alpha, holds: "once" };
    const repeated =
      design === undefined
        ? undefined
        : repeatedInterval(design, design.bounds.length - 1, { estimate, standardError });
    return repeated?.ok && design !== undefined
      ? { ...repeated.value, alpha: design.alpha, holds: "at-looks" }
      : { estimate, ...always, alpha, holds: "always" };
  };
  const { alpha: alphaWithin, holds, ...interval } = within();
  return {
    pValue: pValueNow(),
    crossed: report.kind === "group-sequential" ? sequential?.crossed === true : undefined,
    direction: estimate === 0 ? undefined : isBetter ? "better" : "worse",
    effect: {
      ...intervalOf(interval),
      lift: relative.ok ? relative.value.estimate : undefined,
      alpha: alphaWithin,
      holds,
    },
    notWorse: judged?.report ?? null,
    minimumEffect:
      (minimumEffect !== undefined &&
        judgeMinimumEffect(pair.treated, pair.control, goal, minimumEffect, alpha, horizon)) ||
      null,
    margin: judged?.state ?? none.margin,
  };
}

function judgeMargin(
  { treated, control }: Pair,
  goal: Measure["goal"],
  margin: number,
  alpha: number,
  horizon: Horizon,
): { readonly report: NotWorseReport; readonly state: MarginState } | undefined {
  const test = oneSidedTest(alpha, horizon);
  const judged = notWorse(treated, control, { goal, kind: "relative", size: margin }, test);
  if (!judged.ok) return undefined;
  const size = margin * Math.abs(control.value);
  const { low, pValueWorse } = judged.value;
  const state = low > 0 ? "kept" : pValueWorse < alpha ? "passed" : "open";
  return {
    report:
      goal === "increase"
        ? { margin: -size, ok: low > 0, bound: low - size }
        : { margin: size, ok: low > 0, bound: size - low },
    state,
  };
}

function cupedOf(
  cuped: MeasuredCovariate | undefined,
  arm: number,
  control: number,
  alpha: number,
): CupedReport | null {
  const pair = adjustedPair(cuped, arm, control);
  if (pair === undefined || cuped?.adjusted.ok !== true) return null;
  const tested = difference(pair.treated, pair.control, alpha);
  if (!tested.ok) return null;
  const relative = relativeLift(pair.treated, pair.control, alpha);
  return {
    covariate: cuped.covariate,
    theta: cuped.adjusted.value.thetas[0] ?? 0,
    varianceReduction: cuped.adjusted.value.varianceReduction,
    absolute: intervalOf(tested.value),
    relative: relative.ok ? relative.value : null,
    pValue: tested.value.pValue,
  };
}

function postStratifiedOf(
  answer: Measure["postStratified"],
  arm: number,
  control: number,
  alpha: number,
): Pick<Comparison, "postStratified"> {
  if (answer?.ok !== true) return {};
  const { arms, strata, varianceReduction } = answer.value;
  const [treated, base] = [arms[arm], arms[control]];
  if (treated === undefined || base === undefined) return {};
  const tested = difference(treated, base, alpha);
  if (!tested.ok) return {};
  const relative = relativeLift(treated, base, alpha);
  return {
    postStratified: {
      strata,
      varianceReduction,
      absolute: intervalOf(tested.value),
      relative: relative.ok ? relative.value : null,
      pValue: tested.value.pValue,
    },
  };
}

function intervalOf({ estimate, ciLow, ciHigh }: Interval): Interval {
  return { estimate, ciLow, ciHigh };
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
