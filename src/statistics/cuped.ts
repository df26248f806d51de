/** CUPED with the one covariate that a table or a log gives: see `adjustedArms`. */
import { adjustedArms } from "./adjusted.ts";
import { type Answer, answer, type Estimate } from "./estimate.ts";
import { jointOf } from "./joint-moments.ts";
import type { CrossMoments } from "./moments.ts";

export interface Adjusted {
  readonly theta: number;
  /** Share of the variance of the arms' means that the covariate explains, in [0, 1]. */
  readonly varianceReduction: number;
  /** In the order of the arguments. */
  readonly arms: readonly Estimate[];
}

/** `Y - theta (X - mean(X))`, `theta = Cov(X, Y) / Var(X)`, X the covariate; the variance falls by rho squared. */
export function cuped(arms: readonly CrossMoments[]): Answer<Adjusted> {
  const adjusted = adjustedArms(arms.map(jointOf), { numerator: 1, covariates: [0] });
  if (!adjusted.ok) return adjusted;
  const { thetas, varianceReduction, arms: estimates } = adjusted.value;
  return answer({ theta: thetas[0] as number, varianceReduction, arms: estimates });
}
