/** What a comparison is decided by: with CUPED where there is one, by the plan's own test, and by the metric's margin. */
import type { Gap, Measure } from "../measurement/measurement.ts";
import {
  type Answer,
  alwaysValid,
  type Difference,
  difference,
  type Estimate,
  type Interval,
  intervalOf,
  notWorse,
  relativeLift,
  repeatedInterval,
  type SequentialBounds,
  simultaneousAlpha,
  stagewiseResult,
} from "../statistics/statistics.ts";
import { judgeMinimumEffect } from "./minimum-effect.ts";
import { type Horizon, oneSidedTest } from "./plan.ts";
import type { MinimumEffectReport, NotWorseReport, SequentialReport } from "./report-sections.ts";

export interface Decision {
  /** Of "no difference"; undefined where there is no test. */
  readonly pValue: number | undefined;
  /** Of a group-sequential plan that has a look. */
  readonly sequential: SequentialReport | undefined;
  /** Of a group-sequential plan: whether a bound is crossed. */
  readonly crossed: boolean | undefined;
  readonly direction: "better" | "worse" | undefined;
  readonly effect: DecidedEffect | undefined;
  readonly notWorse: NotWorseReport | undefined;
  readonly minimumEffect: MinimumEffectReport | undefined;
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

/** Two arms' estimates. */
export interface Pair {
  readonly treated: Estimate;
  readonly control: Estimate;
}

/** What CUPED makes of the arms where it can be had. */
export function decidingPair(measure: Measure, arm: number, control: number): Pair | undefined {
  return adjustedPair(measure, arm, control) ?? plainPair(measure, arm, control);
}

/** Undefined where an arm has no estimate. */
export function plainPair({ arms }: Measure, arm: number, control: number): Pair | undefined {
  return both(arms[arm]?.estimate, arms[control]?.estimate);
}

function both(
  treated: Answer<Estimate, Gap> | undefined,
  control: Answer<Estimate, Gap> | undefined,
): Pair | undefined {
  return treated?.ok && control?.ok ? { treated: treated.value, control: control.value } : undefined;
}

/** Undefined without CUPED. */
export function adjustedPair({ cuped }: Measure, arm: number, control: number): Pair | undefined {
  if (cuped?.adjusted.ok !== true) return undefined;
  const { arms } = cuped.adjusted.value;
  const [treated, base] = [arms[arm], arms[control]];
  return treated === undefined || base === undefined ? undefined : { treated, control: base };
}

export function unitsOf({ treated, control }: Pair): number {
  return treated.units + control.units;
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

function isCrossed({ bounds }: SequentialBounds, statistic: number): boolean {
  return Math.abs(statistic) > (bounds.at(-1) ?? Number.POSITIVE_INFINITY);
}

/** @param compared arms beside control. */
export function decide(
  { goal, margin, minimumEffect }: Measure,
  pair: Pair | undefined,
  alpha: number,
  compared: number,
  horizon: Horizon,
): Decision {
  const tested = pair && difference(pair.treated, pair.control, alpha);
  if (pair === undefined || tested?.ok !== true) {
    return {
      pValue: undefined,
      sequential: undefined,
      crossed: undefined,
      direction: undefined,
      effect: undefined,
      notWorse: undefined,
      minimumEffect: undefined,
      margin: margin === undefined ? "none" : "untested",
    };
  }
  const { estimate, statistic } = tested.value;
  const { report, design } = horizon;
  const isBetter = estimate > 0 === (goal === "increase");
  // Any arm that keeps it may be the one that is taken, so each has its part of alpha.
  const part = simultaneousAlpha(alpha, compared);
  const judged = margin === undefined ? undefined : judgeMargin(pair, goal, margin, part, horizon);
  const sequential = design && {
    look: design.bounds.length,
    statistic,
    bounds: design,
    crossed: isCrossed(design, statistic),
  };
  return {
    ...decidedNow(pair, tested.value, alpha, horizon),
    sequential,
    crossed: report.kind === "group-sequential" ? sequential?.crossed === true : undefined,
    direction: estimate === 0 ? undefined : isBetter ? "better" : "worse",
    notWorse: judged?.report,
    minimumEffect:
      minimumEffect === undefined
        ? undefined
        : judgeMinimumEffect(pair.treated, pair.control, goal, minimumEffect, alpha, horizon),
    margin: judged?.state ?? (margin === undefined ? "none" : "untested"),
  };
}

/** The p-value and the interval of whichever test the plan has. */
function decidedNow(
  pair: Pair,
  tested: Difference,
  alpha: number,
  { report, tunedUnits, design }: Horizon,
): Pick<Decision, "pValue" | "effect"> {
  const relative = relativeLift(pair.treated, pair.control, alpha);
  const lift = relative.ok ? relative.value.estimate : undefined;
  const { estimate, standardError, pValue } = tested;
  if (report.kind === "fixed") {
    return { pValue, effect: { ...intervalOf(tested), lift, alpha, holds: "once" } };
  }
  const always = alwaysValid(tested, unitsOf(pair), alpha, tunedUnits);
  const atAnyTime = { ...intervalOf({ estimate, ...always }), lift, alpha, holds: "always" } as const;
  if (report.kind === "always-valid") return { pValue: always.pValue, effect: atAnyTime };
  if (design === undefined) return { pValue: undefined, effect: atAnyTime };
  const seen = { estimate, standardError };
  const stagewise = stagewiseResult(design, seen);
  const repeated = repeatedInterval(design, design.bounds.length - 1, seen);
  return {
    pValue: stagewise.ok ? stagewise.value.pValue : undefined,
    effect: repeated.ok
      ? { ...intervalOf(repeated.value), lift, alpha: design.alpha, holds: "at-looks" }
      : atAnyTime,
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
