/** Two arms compared: the difference by Welch's test, and the lift relative to control by the delta method. */
import { criticalT, twoSidedT } from "./distributions.ts";
import { type Answer, answer, type Estimate, noAnswer } from "./estimate.ts";

/** A two-sided interval of level `1 - alpha` around an estimate. */
export interface Interval {
  readonly estimate: number;
  readonly ciLow: number;
  readonly ciHigh: number;
}

/** The interval alone, of whatever has one. */
export function intervalOf({ estimate, ciLow, ciHigh }: Interval): Interval {
  return { estimate, ciLow, ciHigh };
}

export interface Difference extends Interval {
  readonly standardError: number;
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Treated minus control, arms of unequal variance (Welch, Biometrika 34, 1947), with the degrees of freedom of
 * Welch and Satterthwaite: `(a + b)^2 / (a^2 / (nA - 1) + b^2 / (nB - 1))`, a and b the variances of the estimates.
 * It holds for one look at the planned end, per-unit values being independent of each other.
 */
export function difference(treated: Estimate, control: Estimate, alpha: number): Answer<Difference> {
  const variance = treated.variance + control.variance;
  if (variance === 0) return noAnswer("no-variance");
  return studentTest(
    treated.value - control.value,
    Math.sqrt(variance),
    welchSatterthwaite(treated, control),
    alpha,
  );
}

/** Student's t, of "the estimate is of zero". */
export function studentTest(
  estimate: number,
  standardError: number,
  degreesOfFreedom: number,
  alpha: number,
): Answer<Difference, "infinite"> {
  const statistic = estimate / standardError;
  const halfWidth = criticalT(alpha, degreesOfFreedom) * standardError;
  if (![statistic, halfWidth, estimate - halfWidth, estimate + halfWidth].every(Number.isFinite)) {
    return noAnswer("infinite");
  }
  return answer({
    estimate,
    ciLow: estimate - halfWidth,
    ciHigh: estimate + halfWidth,
    standardError,
    statistic,
    degreesOfFreedom,
    pValue: twoSidedT(statistic, degreesOfFreedom),
  });
}

/**
 * The difference as a share of control, `(T - C) / |C|`, by the delta method:
 * `Var = Var(T) / C^2 + T^2 Var(C) / C^4` (Deng, Knoblich, Lu, KDD 2018, section 3.1, arms independent), with the
 * degrees of freedom of the difference. The sign is that of the difference also where control is negative.
 * It holds where control is many standard errors away from zero; see `controlIsNearZero`.
 */
export function relativeLift(treated: Estimate, control: Estimate, alpha: number): Answer<Interval> {
  if (control.value === 0) return noAnswer("zero-control");
  if (treated.variance + control.variance === 0) return noAnswer("no-variance");
  const base = Math.abs(control.value);
  const ratio = treated.value / base;
  const estimate = (treated.value - control.value) / base;
  const standardError = Math.sqrt(treated.variance + ratio * ratio * control.variance) / base;
  const halfWidth = criticalT(alpha, welchSatterthwaite(treated, control)) * standardError;
  if (!Number.isFinite(estimate) || !Number.isFinite(halfWidth)) return noAnswer("infinite");
  return answer({ estimate, ciLow: estimate - halfWidth, ciHigh: estimate + halfWidth });
}

/** True where control's own interval is so wide that the delta method's straight line is a poor picture of 1 / C. */
export function controlIsNearZero(control: Estimate): boolean {
  return Math.abs(control.value) < 5 * Math.sqrt(control.variance);
}

/** In shares of the sum, so that variances of 1e-200 do not underflow when they are squared. */
export function welchSatterthwaite(treated: Estimate, control: Estimate): number {
  const variance = treated.variance + control.variance;
  const a = treated.variance / variance;
  const b = control.variance / variance;
  return 1 / ((a * a) / freedom(treated) + (b * b) / freedom(control));
}

function freedom(estimate: Estimate): number {
  return estimate.degreesOfFreedom ?? estimate.units - 1;
}
