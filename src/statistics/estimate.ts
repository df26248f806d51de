/** From the sufficient statistics of one arm to what a comparison needs: a value, and how sure we are of it. */
import type { CrossMoments, Moments } from "./moments.ts";

/** `variance` is that of the estimate itself, the square of its standard error. */
export interface Estimate {
  readonly units: number;
  readonly value: number;
  readonly variance: number;
  /** Of the variance, where it is not the number of units less one. */
  readonly degreesOfFreedom?: number;
}

/**
 * Why there is no estimate or no test: a closed list, so that whoever shows it can say it in words.
 * `infinite` means that the values were too large to add up.
 */
export type NonAnswer =
  | "no-units"
  | "one-unit"
  | "no-variance"
  | "zero-denominator"
  | "zero-control"
  | "no-covariate-variance"
  | "infinite";

/** A result, or the reason for having none. Never NaN. A method with reasons of its own names them as `Reason`. */
export type Answer<T, Reason extends string = NonAnswer> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason };

export function answer<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function noAnswer<Reason extends string>(
  reason: Reason,
): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}

/** The mean of per-unit values, a proportion being the mean of zeros and ones: variance `s^2 / n`. */
export function estimateOfMean(moments: Moments): Answer<Estimate> {
  const units = moments.count;
  if (units === 0) return noAnswer("no-units");
  if (units === 1) return noAnswer("one-unit");
  const m2 = withoutRounding(moments.m2, units * moments.mean ** 2, equalShare);
  return finite({ units, value: moments.mean, variance: m2 / (units - 1) / units });
}

/**
 * The ratio of two per-unit sums, `R = mean(Y) / mean(X)`, by the delta method:
 * `Var(R) = (Var(Y) - 2 R Cov(X, Y) + R^2 Var(X)) / (n mean(X)^2)`
 * (Deng, Knoblich, Lu, "Applying the Delta Method in Metric Analytics", KDD 2018, eq. 3).
 * X is the denominator. Rows of one unit depend on each other; treating them as independent would give false
 * positives about seven times too often, which is why the unit, not the row, is counted.
 */
export function estimateOfRatio(moments: CrossMoments): Answer<Estimate> {
  const units = moments.count;
  if (units === 0) return noAnswer("no-units");
  if (moments.meanX === 0) return noAnswer("zero-denominator");
  if (units === 1) return noAnswer("one-unit");
  const value = moments.meanY / moments.meanX;
  const sum = moments.m2Y - 2 * value * moments.cXY + value * value * moments.m2X;
  // Where Y is an exact multiple of X the three terms cancel, and rounding must not leave a negative variance.
  const left = withoutRounding(sum, moments.m2Y + value * value * moments.m2X);
  return finite({ units, value, variance: left / (units - 1) / units / moments.meanX ** 2 });
}

/** A sum of terms as large as `scale`: zero where only rounding errors can be left of it. */
export function withoutRounding(sum: number, scale: number, share = cancelledShare): number {
  return sum <= scale * share ? 0 : sum;
}

/** Terms that cancel leave about 1e-16 of themselves, more after a million additions. */
const cancelledShare = 1e-12;

/** Values that differ from their mean by a 1e-13th are equal: 0.1 + 0.2 in one unit and 0.3 in another. */
export const equalShare = 1e-26;

function finite(estimate: Estimate): Answer<Estimate> {
  const numbers = Number.isFinite(estimate.value) && Number.isFinite(estimate.variance);
  return numbers ? answer(estimate) : noAnswer("infinite");
}
