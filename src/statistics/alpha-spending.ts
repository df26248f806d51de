/**
 * How much of alpha may have been spent when a share of the planned information is in (Lan, DeMets, "Discrete Sequential
 * Boundaries for Clinical Trials", Biometrika 70, 1983): looks need not be planned, only the end.
 */
import { criticalNormal, upperNormal } from "./normal.ts";

/** `obrien-fleming` saves nearly all for the end, `pocock` spends evenly. */
export type Spending = "obrien-fleming" | "pocock";

/**
 * Cumulative level of one side at `fraction` of the information. O'Brien-Fleming type
 * `2 - 2 Phi(z(alpha / 2) / sqrt(t))`, Pocock type `alpha ln(1 + (e - 1) t)` (Lan, DeMets 1983, section 3).
 * @param fraction at least 0; from 1 on all of alpha is spent.
 */
export function spentAlpha(spending: Spending, fraction: number, alpha: number): number {
  if (fraction <= 0) return 0;
  if (fraction >= 1) return alpha;
  if (spending === "pocock") return alpha * Math.log1p((Math.E - 1) * fraction);
  return 2 * upperNormal(criticalNormal(alpha / 2) / Math.sqrt(fraction));
}
