/**
 * CUPED with any number of covariates, for means and for ratios: variance removed with what was known of a unit before
 * its exposure (Deng, Xu, Kohavi, Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
 * Pre-Experiment Data", WSDM 2013, section 3.2 and appendix B for ratios; several covariates and the optimality of the
 * regression: Jin, Ba, "Toward Optimal Variance Reduction in Online Controlled Experiments", Technometrics 65(2), 2023).
 */
import { type Answer, answer, type Estimate, equalShare, noAnswer, withoutRounding } from "./estimate.ts";
import {
  type JointMoments,
  meanOf,
  mergeJointMoments,
  momentsOfCombination,
  noJointMoments,
  productOf,
} from "./joint-moments.ts";
import { coefficients } from "./regression.ts";

/** Which variable of the joint moments is what. Without a denominator the outcome is a mean. */
export interface AdjustedOutcome {
  readonly numerator: number;
  readonly denominator?: number;
  /** Strictly from before the exposure. One that those before it determine is left out, with a theta of 0. */
  readonly covariates: readonly number[];
}

export interface AdjustedArms {
  /** In the order of the covariates, in units of the outcome per unit of the covariate; 0 where it adds nothing. */
  readonly thetas: readonly number[];
  /** Share of the variance of the arms' estimates that the covariates explain, in [0, 1]. */
  readonly varianceReduction: number;
  /** In the order of the arguments. */
  readonly arms: readonly Estimate[];
}

/**
 * With L the outcome's linear form, `y` for a mean and `(y - R x) / mean(x)` for a ratio R (the influence of one unit,
 * Deng, Knoblich, Lu, KDD 2018, section 3), an arm's estimate is `value - theta' (mean(c) - mean(c over all arms))` with
 * the variance `Var(L - theta' c) / n`, theta solving `Cov(c, c) theta = Cov(c, L)`. One theta for all arms, from the
 * deviations within each: across arms the effect itself would leak into it. It is taken as known, which is right but for
 * terms of order 1/n, and the estimate is consistent whatever theta is, since both arms' covariates have the same mean.
 *
 * For a ratio the covariates are the unit's numerator and denominator before the experiment, two variables: the ratio
 * before the experiment, linearised, is one of their combinations, and the regression finds the best.
 *
 * A unit without a past has 0 in its covariates and 1 in one more covariate, "has no past". What is put
 * for the missing value makes no difference then, since the indicator's coefficient takes it up; the arms stay
 * comparable because the randomisation cannot change who has a past.
 */
export function adjustedArms(arms: readonly JointMoments[], outcome: AdjustedOutcome): Answer<AdjustedArms> {
  if (arms.some((arm) => arm.count === 0)) return noAnswer("no-units");
  const { numerator, denominator, covariates } = outcome;
  if (denominator !== undefined && arms.some((arm) => meanOf(arm, denominator) === 0)) {
    return noAnswer("zero-denominator");
  }
  if (arms.some((arm) => arm.count === 1)) return noAnswer("one-unit");
  const linear = arms.map((arm) => linearForm(arm, numerator, denominator));
  const sumOver = (of: (arm: JointMoments, at: number) => number): number =>
    arms.reduce((sum, arm, at) => sum + of(arm, at), 0);
  const right = covariates.map((covariate) =>
    sumOver((arm, at) => productWith(arm, covariate, (linear[at] as LinearForm).weights)),
  );
  const thetas = coefficients(
    (i, j) => sumOver((arm) => productOf(arm, covariates[i] as number, covariates[j] as number)),
    right,
  );
  if (thetas === undefined) {
    const finite = arms.every((arm) => arm.products.flat().every(Number.isFinite));
    return noAnswer(finite ? "no-covariate-variance" : "infinite");
  }
  const all = arms.reduce(mergeJointMoments, noJointMoments((arms[0] as JointMoments).means.length));
  const parts = arms.map((arm, at) => {
    const { value, weights } = linear[at] as LinearForm;
    const shift = covariates.reduce(
      (sum, covariate, i) => sum + (thetas[i] as number) * (meanOf(arm, covariate) - meanOf(all, covariate)),
      0,
    );
    const residual = [...weights];
    for (const [i, covariate] of covariates.entries()) {
      residual[covariate] = (residual[covariate] as number) - (thetas[i] as number);
    }
    return { arm, value: value - shift, residual };
  });
  // Of all arms, since each theta is rounded as large as any of them needs it.
  const scale = parts.reduce((sum, { arm, residual }) => sum + spreadOf(arm, residual), 0);
  const estimates = parts.map(({ arm, value, residual }) => ({
    units: arm.count,
    value,
    variance: varianceOfMean(arm, residual, scale),
  }));
  const before = sumOver((arm, at) => {
    const { weights } = linear[at] as LinearForm;
    return varianceOfMean(arm, weights, spreadOf(arm, weights));
  });
  const after = estimates.reduce((sum, estimate) => sum + estimate.variance, 0);
  const numbers = [...thetas, ...estimates.map(({ value }) => value), before, after];
  if (!numbers.every(Number.isFinite)) return noAnswer("infinite");
  if (before === 0) return noAnswer("no-variance");
  return answer({ thetas, varianceReduction: Math.max(0, 1 - after / before), arms: estimates });
}

interface LinearForm {
  readonly value: number;
  /** Of every variable of the moments. */
  readonly weights: readonly number[];
}

function linearForm(arm: JointMoments, numerator: number, denominator: number | undefined): LinearForm {
  const weights = arm.means.map(() => 0);
  if (denominator === undefined) {
    weights[numerator] = 1;
    return { value: meanOf(arm, numerator), weights };
  }
  const base = meanOf(arm, denominator);
  const value = meanOf(arm, numerator) / base;
  weights[numerator] = 1 / base;
  weights[denominator] = -value / base;
  return { value, weights };
}

function productWith(arm: JointMoments, variable: number, weights: readonly number[]): number {
  return weights.reduce(
    (sum, weight, i) => (weight === 0 ? sum : sum + weight * productOf(arm, variable, i)),
    0,
  );
}

/** Of the terms of the combination, as if they could not cancel. */
function spreadOf(arm: JointMoments, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * weight * productOf(arm, i, i), 0);
}

/** What rounding leaves of an outcome that the covariates determine is no variance, nor is what it leaves of values that are the same. */
function varianceOfMean(arm: JointMoments, weights: readonly number[], scale: number): number {
  const size = weights.reduce((sum, weight, i) => sum + (weight * meanOf(arm, i)) ** 2, 0);
  const spread = withoutRounding(momentsOfCombination(arm, weights).m2, scale);
  return withoutRounding(spread, arm.count * size, equalShare) / (arm.count - 1) / arm.count;
}
