/**
 * The distributions behind the tests, over @stdlib's implementations. Tails are taken from the side where they are
 * small: `1 - cdf` has no digits left below 1e-16, and a p-value of 1e-20 has to be right.
 */
import upperGamma from "@stdlib/math-base-special-gammainc";
import tCdf from "@stdlib/stats-base-dists-t-cdf";
import tQuantile from "@stdlib/stats-base-dists-t-quantile";

/** P(|T| >= |statistic|) for Student's t with `degreesOfFreedom` > 0, which need not be whole. */
export function twoSidedT(statistic: number, degreesOfFreedom: number): number {
  return Math.min(1, 2 * tCdf(-Math.abs(statistic), degreesOfFreedom));
}

/** The half-width, in standard errors, of a two-sided interval of level `1 - alpha`. */
export function criticalT(alpha: number, degreesOfFreedom: number): number {
  // From the lower tail, like the p-value: 1 - alpha / 2 has lost a small alpha's digits.
  return -tQuantile(alpha / 2, degreesOfFreedom);
}

/** P(X >= statistic) for chi-square: the regularised upper incomplete gamma function Q(k / 2, x / 2). */
export function upperChiSquare(statistic: number, degreesOfFreedom: number): number {
  return upperGamma(statistic / 2, degreesOfFreedom / 2, true, true);
}

/** P(T >= statistic) for Student's t. */
export function upperT(statistic: number, degreesOfFreedom: number): number {
  return tCdf(-statistic, degreesOfFreedom);
}
