import { upperNormal } from "./normal.ts";

/** Below e to this the density adds nothing that could be seen beside probabilities above 1e-16. */
const negligible = -75;

/** Standard deviations beyond which a normal's tail is no double. */
const certain = 40;

/** Steeper ones are a step to whoever plans: a power that is not 0 or 1 at a noncentrality of thousands has next to no units. */
const steepest = 5_000;

/**
 * P(T > t) for Student's noncentral t, T = (Z + noncentrality) / S, with S^2 a chi-square over its degrees of freedom k:
 * `integral of P(Z > t s - noncentrality) f(s) ds`, f the density of S (Johnson, Kotz, Balakrishnan, "Continuous Univariate
 * Distributions" 2, 1995, eq. 31.10), by the trapezoidal rule over ln s, whose density is `exp(k (u - e^(2u) / 2))` up to a
 * factor that the same rule gives: it converges geometrically once its step is a part of the narrower of the two factors.
 * All terms are positive, so small tails keep their digits: the relative error is about 1e-12 for degrees of freedom from 1
 * on, probabilities above 1e-16, and t and noncentrality up to 5,000.
 */
export function upperNoncentralT(t: number, degreesOfFreedom: number, noncentrality: number): number {
  const density = (u: number): number => -degreesOfFreedom * (Math.expm1(2 * u) / 2 - u);
  const low = edge(density, -1);
  const high = edge(density, 1);
  // Where all of S that counts is far on one side, no integral is needed, and none of a width that would take for ever.
  if (noncentrality - Math.max(t * Math.exp(low), t * Math.exp(high)) > certain) return 1;
  if (Math.min(t * Math.exp(low), t * Math.exp(high)) - noncentrality > certain) return 0;
  const narrow = Math.min(
    1 / Math.sqrt(72 * degreesOfFreedom),
    1 / (3 + 3 * Math.min(steepest, Math.max(Math.abs(t), Math.abs(noncentrality)))),
  );
  const points = Math.ceil((high - low) / narrow);
  let [sum, whole] = [0, 0];
  for (let i = 0; i <= points; i++) {
    const u = low + ((high - low) * i) / points;
    const weight = Math.exp(density(u));
    whole += weight;
    sum += weight * upperNormal(t * Math.exp(u) - noncentrality);
  }
  return sum / whole;
}

/** Where the logarithm of the density, 0 at its peak, has fallen to what is negligible. */
function edge(density: (u: number) => number, side: -1 | 1): number {
  let [inside, outside] = [0, side as number];
  while (density(outside) > negligible) outside *= 2;
  for (let step = 0; step < 30; step++) {
    const middle = (inside + outside) / 2;
    if (density(middle) > negligible) inside = middle;
    else outside = middle;
  }
  return outside;
}
