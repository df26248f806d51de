/**
 * An interval that may be looked at after every unit, and acted on whenever one likes: the asymptotic confidence
 * sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic
 * confidence sequences" (arXiv 2103.06476, eq. 9).
 */
import type { Difference } from "./welch.ts";

export interface AlwaysValid {
  readonly ciLow: number;
  readonly ciHigh: number;
  readonly pValue: number;
}

/**
 * The sample, in units of both arms, at which the sequence is tightest: there it is 1.55 times as wide as the
 * interval for one look. It must not be read off the data, or the promise is lost; so it is one number for all.
 */
const alwaysValidTunedUnits = 10_000;

/**
 * Around the difference of two arms with `units` units in both together. Half-width
 * `s sqrt(2 (n rho^2 + 1) ln(sqrt(n rho^2 + 1) / alpha) / (n rho)^2)`, where `s^2 = n Var(difference)` is the variance
 * of one unit's influence on the difference, and `rho^2 = (-2 ln alpha + ln(1 - 2 ln alpha)) / tuned`.
 * The p-value is the smallest level whose interval, with this rho, leaves zero out.
 */
export function alwaysValid(
  difference: Pick<Difference, "estimate" | "standardError" | "statistic">,
  units: number,
  alpha: number,
): AlwaysValid {
  const rhoSquared = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / alwaysValidTunedUnits;
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
