/** The standard normal distribution, from its upper side, where tails are small and keep their digits. */
import erfc from "@stdlib/math-base-special-erfc";
import erfcInverse from "@stdlib/math-base-special-erfcinv";

/** P(Z >= z). */
export function upperNormal(z: number): number {
  return erfc(z * Math.SQRT1_2) / 2;
}

/** The z that is exceeded with `probability` in (0, 1). */
export function criticalNormal(probability: number): number {
  return Math.SQRT2 * erfcInverse(2 * probability);
}

export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}
