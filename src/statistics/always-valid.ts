/**
 * An interval that may be looked at after every unit, and acted on whenever one likes: the asymptotic confidence
 * sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic
 * confidence sequences" (arXiv 2103.06476, eq. 9), and its one-sided form (the same, appendix on one-sided sequences).
 */
import { type Answer, answer, noAnswer } from "./estimate.ts";
import type { Difference } from "./welch.ts";

export interface AlwaysValid {
  readonly ciLow: number;
  readonly ciHigh: number;
  readonly pValue: number;
}

/** Of one side only: what the effect is at least, or at most. */
export interface AlwaysValidBound {
  readonly bound: number;
  /** Of "the effect is not on this side of `than`", the smallest level whose bound is. */
  readonly pValue: number;
}

/**
 * The sample, in units of both arms, at which the sequence is tightest where nobody planned one: there it is 1.55 times
 * as wide as the interval for one look.
 */
export const alwaysValidTunedUnits = 10_000;

/**
 * Around the difference of two arms with `units` units in both together. Half-width
 * `s sqrt(2 (n rho^2 + 1) ln(sqrt(n rho^2 + 1) / alpha) / (n rho)^2)`, where `s^2 = n Var(difference)` is the variance
 * of one unit's influence on the difference, and `rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / tunedUnits`.
 * The p-value is the smallest level whose interval, with this rho, leaves zero out.
 * @param tunedUnits N*, the units of both arms at which it is tightest: from the plan, fixed before the first look. One
 * that is read off the data breaks the promise.
 */
export function alwaysValid(
  difference: Pick<Difference, "estimate" | "standardError" | "statistic">,
  units: number,
  alpha: number,
  tunedUnits = alwaysValidTunedUnits,
): AlwaysValid {
  const rhoSquared = tuned(alpha, tunedUnits);
  const growth = units * rhoSquared + 1;
  // Per standard error of the difference: s / sqrt(n) is that standard error.
  const squaredWidth = (2 * growth * Math.log(Math.sqrt(growth) / alpha)) / (units * rhoSquared);
  const halfWidth = Math.sqrt(squaredWidth) * difference.standardError;
  const evidence = (difference.statistic ** 2 * units * rhoSquared) / (2 * growth);
  return {
    ciLow: difference.estimate - halfWidth,
    ciHigh: difference.estimate + halfWidth,
    pValue: Math.min(1, Math.exp(Math.log(growth) / 2 - evidence)),
  };
}

/**
 * One side: half-width `s sqrt(2 (n rho^2 + 1) ln(1 + sqrt(n rho^2 + 1) / (2 alpha)) / (n rho)^2)`, rho tuned as that of
 * the two-sided sequence of level `2 alpha`. It answers "is it more than?" of a guardrail or a margin with all of alpha.
 * @param side "above": a lower bound and evidence that the effect is above `than`; "below": the mirror image.
 * @param alpha in (0, 0.5).
 */
export function alwaysValidBound(
  difference: Pick<Difference, "estimate" | "standardError">,
  units: number,
  { side, than, alpha, tunedUnits = alwaysValidTunedUnits }: AlwaysValidQuestion,
): Answer<AlwaysValidBound> {
  if (units === 0) return noAnswer("no-units");
  const { estimate, standardError } = difference;
  if (standardError === 0) return noAnswer("no-variance");
  const sign = side === "above" ? 1 : -1;
  const rhoSquared = tuned(2 * alpha, tunedUnits);
  const growth = units * rhoSquared + 1;
  const squaredWidth = (2 * growth * Math.log1p(Math.sqrt(growth) / (2 * alpha))) / (units * rhoSquared);
  const bound = estimate - sign * Math.sqrt(squaredWidth) * standardError;
  const statistic = (sign * (estimate - than)) / standardError;
  if (!Number.isFinite(bound) || !Number.isFinite(statistic)) return noAnswer("infinite");
  const evidence = (Math.max(0, statistic) ** 2 * units * rhoSquared) / (2 * growth);
  // ln(exp(e) - 1) is e but for rounding where exp(e) leaves the range of a double.
  const log = evidence > 30 ? evidence : Math.log(Math.expm1(evidence));
  return answer({ bound, pValue: Math.min(1, Math.exp(Math.log(growth) / 2 - Math.LN2 - log)) });
}

export interface AlwaysValidQuestion {
  readonly side: "above" | "below";
  readonly than: number;
  readonly alpha: number;
  readonly tunedUnits?: number;
}

function tuned(alpha: number, units: number): number {
  return (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / units;
}
