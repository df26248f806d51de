/**
 * Is the treated arm not worse than control by more than a margin? One-sided, for guardrails and for the quality of a
 * distilled ranker: absence of a significant harm is no proof of absence of harm, this is (Piaggio et al., JAMA 308, 2012).
 */
import { alwaysValidBound } from "./always-valid.ts";
import { criticalT, upperT } from "./distributions.ts";
import { type Answer, answer, type Estimate, noAnswer } from "./estimate.ts";
import { difference } from "./welch.ts";

export interface Margin {
  readonly goal: "increase" | "decrease";
  /** Relative to control's distance from zero: a margin is a worsening also where means are negative. */
  readonly kind: "absolute" | "relative";
  /** At least 0; 0 asks whether the arm is better. */
  readonly size: number;
}

/** One look at the planned end, or as many as one likes. */
export type OneSided =
  | { readonly alpha: number; readonly horizon: "fixed" }
  | { readonly alpha: number; readonly horizon: "always-valid"; readonly tunedUnits: number };

/** `slack` is how much better the arm is than the margin asks for, in the metric's unit; negative is worse. */
export interface NotWorse {
  readonly slack: number;
  readonly standardError: number;
  /** Lower and upper confidence bounds of the slack, each of level `1 - alpha`. */
  readonly low: number;
  readonly high: number;
  /** Of "worse than the margin allows"; below alpha where `low` is above 0. */
  readonly pValue: number;
  /** Of "no worse than the margin allows"; below alpha where `high` is below 0. */
  readonly pValueWorse: number;
}

/**
 * With `B` the worst value allowed, `C -+ size` or `C (1 -+ size)`, the slack is `T - B` (where less is better, `B - T`),
 * linear in both means: no delta method and no division by control. Fixed: Welch's t of the slack
 * (`Var = Var(T) + (B / C)^2 Var(C)`); always-valid: the one-sided confidence sequence.
 */
export function notWorse(
  treated: Estimate,
  control: Estimate,
  margin: Margin,
  test: OneSided,
): Answer<NotWorse> {
  const allowed = worstAllowed(control, margin);
  if (!allowed.ok) return allowed;
  const [better, worse] = margin.goal === "increase" ? [treated, allowed.value] : [allowed.value, treated];
  const tested = difference(better, worse, test.alpha);
  if (!tested.ok) return tested;
  const { estimate: slack, standardError, statistic, degreesOfFreedom } = tested.value;
  // Means that are finite can still have a distance, or a sum of variances, that is not.
  if (!Number.isFinite(slack) || !Number.isFinite(standardError)) return noAnswer("infinite");
  if (test.horizon === "fixed") {
    const halfWidth = criticalT(2 * test.alpha, degreesOfFreedom) * standardError;
    return answer({
      slack,
      standardError,
      low: slack - halfWidth,
      high: slack + halfWidth,
      pValue: upperT(statistic, degreesOfFreedom),
      pValueWorse: upperT(-statistic, degreesOfFreedom),
    });
  }
  const units = treated.units + control.units;
  const { alpha, tunedUnits } = test;
  const above = alwaysValidBound(tested.value, units, { side: "above", than: 0, alpha, tunedUnits });
  const below = alwaysValidBound(tested.value, units, { side: "below", than: 0, alpha, tunedUnits });
  if (!above.ok) return above;
  if (!below.ok) return below;
  return answer({
    slack,
    standardError,
    low: above.value.bound,
    high: below.value.bound,
    pValue: above.value.pValue,
    pValueWorse: below.value.pValue,
  });
}

function worstAllowed(control: Estimate, { goal, kind, size }: Margin): Answer<Estimate> {
  const down = goal === "increase" ? -1 : 1;
  if (kind === "absolute") return answer({ ...control, value: control.value + down * size });
  if (control.value === 0) return noAnswer("zero-control");
  const factor = 1 + down * size * Math.sign(control.value);
  return answer({
    units: control.units,
    value: control.value * factor,
    variance: control.variance * factor * factor,
  });
}
