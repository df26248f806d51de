/**
 * CUPED: variance removed with what was known of a unit before the experiment (Deng, Xu, Kohavi, Walker, "Improving
 * the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data", WSDM 2013, section 3.2).
 * `Y - theta (X - mean(X))`, `theta = Cov(X, Y) / Var(X)`; the variance falls by the squared correlation.
 */
import { type Answer, answer, type Estimate, noAnswer, withoutRounding } from "./estimate.ts";
import { type CrossMoments, mergeCrossMoments, noCrossMoments } from "./moments.ts";

export interface Adjusted {
  readonly theta: number;
  /** Share of the variance of the arms' means that the covariate explains, in [0, 1]. */
  readonly varianceReduction: number;
  /** In the order of the arguments. */
  readonly arms: readonly Estimate[];
}

/**
 * One theta for all arms, from the deviations within each arm: a theta of its own for each arm would let the
 * adjustment differ by arm, and deviations across arms would let the effect itself leak into theta. The covariate
 * must be strictly from before the exposure, else the adjustment removes part of the effect. X is the covariate.
 */
export function cuped(arms: readonly CrossMoments[]): Answer<Adjusted> {
  if (arms.some((arm) => arm.count === 0)) return noAnswer("no-units");
  if (arms.some((arm) => arm.count === 1)) return noAnswer("one-unit");
  const m2X = arms.reduce((sum, arm) => sum + arm.m2X, 0);
  const cXY = arms.reduce((sum, arm) => sum + arm.cXY, 0);
  if (m2X === 0) return noAnswer("no-covariate-variance");
  const theta = cXY / m2X;
  const meanX = arms.reduce(mergeCrossMoments, noCrossMoments).meanX;
  const estimates = arms.map((arm) => {
    const m2 = arm.m2Y - 2 * theta * arm.cXY + theta * theta * arm.m2X;
    const left = withoutRounding(m2, arm.m2Y + theta * theta * arm.m2X);
    return {
      units: arm.count,
      value: arm.meanY - theta * (arm.meanX - meanX),
      variance: left / (arm.count - 1) / arm.count,
    };
  });
  const before = arms.reduce((sum, arm) => sum + arm.m2Y / (arm.count - 1) / arm.count, 0);
  const after = estimates.reduce((sum, estimate) => sum + estimate.variance, 0);
  if (![theta, before, after].every(Number.isFinite)) return noAnswer("infinite");
  if (before === 0) return noAnswer("no-variance");
  return answer({ theta, varianceReduction: Math.max(0, 1 - after / before), arms: estimates });
}
