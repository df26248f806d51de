/** The lift relative to a control that may be near zero: Fieller's set instead of the delta method's interval. */
import { criticalT } from "./distributions.ts";
import { type Answer, answer, type Estimate, noAnswer } from "./estimate.ts";
import { welchSatterthwaite } from "./welch.ts";

/**
 * The lifts that the data do not rule out at level `1 - alpha`.
 * - `bounded`: all from `ciLow` to `ciHigh`.
 * - `outside`: all but those between `ciLow` and `ciHigh`: control may be zero, but the arms differ or are alike enough to
 *   rule some lifts out. Its outer ends are unbounded.
 * - `everything`: no lift is ruled out.
 */
export type FiellerSet =
  | { readonly kind: "bounded"; readonly estimate: number; readonly ciLow: number; readonly ciHigh: number }
  | { readonly kind: "outside"; readonly estimate: number; readonly ciLow: number; readonly ciHigh: number }
  | { readonly kind: "everything"; readonly estimate: number };

/**
 * Every ratio r for which `|T - r C| <= t sqrt(Var(T) + r^2 Var(C))`, a quadratic in r with the roots
 * `(T C -+ sqrt((T C)^2 - (C^2 - t^2 Var(C)) (T^2 - t^2 Var(T)))) / (C^2 - t^2 Var(C))` (Fieller, "Some Problems in
 * Interval Estimation", Journal of the Royal Statistical Society B 16(2), 1954; arms independent; the three shapes: Franz,
 * "Ratios: A short guide to confidence limits and proper use", arXiv 0710.2024). The lift is `r - 1`, its sign turned where
 * control is negative, so that it is that of the difference as in `relativeLift`; t has the difference's degrees of freedom.
 *
 * It is bounded exactly where control itself differs from zero at level alpha, and leaves the lift 0 out exactly where the
 * difference does: at r = 1 it is Welch's test.
 */
export function fieller(treated: Estimate, control: Estimate, alpha: number): Answer<FiellerSet> {
  if (control.value === 0) return noAnswer("zero-control");
  if (treated.variance + control.variance === 0) return noAnswer("no-variance");
  const critical = criticalT(alpha, welchSatterthwaite(treated, control));
  // In units of control, so that neither 1e-200 nor 1e200 leaves a double's range when it is squared.
  const ratio = treated.value / control.value;
  const [treatedNoise, controlNoise] = [treated, control].map(
    ({ variance }) => (critical * (Math.sqrt(variance) / Math.abs(control.value))) ** 2,
  ) as [number, number];
  const lead = 1 - controlNoise;
  const last = ratio * ratio - treatedNoise;
  // `ratio^2 - lead last`, multiplied out so that nothing large cancels.
  const discriminant = treatedNoise + ratio * ratio * controlNoise - controlNoise * treatedNoise;
  if (![ratio, lead, last, discriminant].every(Number.isFinite)) return noAnswer("infinite");
  const sign = Math.sign(control.value);
  const estimate = sign * (ratio - 1);
  if (lead === 0 || discriminant < 0) return answer({ kind: "everything", estimate });
  // The root away from cancellation first, the other from the product of the two.
  const far = ratio + (ratio < 0 ? -1 : 1) * Math.sqrt(discriminant);
  const roots = far === 0 ? [0, 0] : [far / lead, last / far];
  const ends = roots.map((root) => sign * (root - 1)).sort((a, b) => a - b) as [number, number];
  if (!ends.every(Number.isFinite)) return noAnswer("infinite");
  return answer({ kind: lead > 0 ? "bounded" : "outside", estimate, ciLow: ends[0], ciHigh: ends[1] });
}
