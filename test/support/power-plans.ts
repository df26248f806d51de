/** Plans and baselines that tests of the power begin with. */
import type { Estimate } from "../../src/statistics/estimate.ts";
import type { Baseline, Plan } from "../../src/statistics/power-plan.ts";

/** One metric, two equal arms, one look. */
export const plainPlan: Plan = {
  alpha: 0.05,
  shares: { control: 0.5, treated: 0.5 },
  comparisons: 1,
  goal: "higher",
  margin: undefined,
  varianceReduction: 0,
  triggerRate: 1,
  analysed: "triggered",
  monitoring: "fixed",
};

/** From the estimate of a mean, a ratio or a quantile in a log or a table. */
export function baselineOf(estimate: Estimate, spread: "constant" | "grows" = "constant"): Baseline {
  const unitVariance = estimate.variance * estimate.units;
  return { value: estimate.value, unitVariance, spread };
}

export function baselineOfProportion(share: number): Baseline {
  return { value: share, unitVariance: share * (1 - share), spread: "proportion" };
}
