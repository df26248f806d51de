/** Tails that the regularised incomplete beta function gives, each from the side where it is small. */
import incompleteBeta from "@stdlib/math-base-special-betainc";

/** P(F >= statistic) for Fisher's F: `I_x(d2 / 2, d1 / 2)` at `x = d2 / (d2 + d1 F)`. */
export function upperF(statistic: number, numerator: number, denominator: number): number {
  if (statistic <= 0) return 1;
  const x = denominator / (denominator + numerator * statistic);
  return incompleteBeta(x, denominator / 2, numerator / 2, true, false);
}

/** P(X >= successes) for a binomial of `trials` at `share`: `I_share(k, n - k + 1)`. */
export function upperBinomial(successes: number, trials: number, share: number): number {
  if (successes <= 0) return 1;
  if (successes > trials) return 0;
  return incompleteBeta(share, successes, trials - successes + 1, true, false);
}
