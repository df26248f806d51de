/**
 * How sure an experiment is to find an effect.
 *
 * Every metric comes down to one number, the variance of one unit's influence on the arm's estimate: `s^2` of a mean,
 * `p (1 - p)` of a proportion, n times the delta method's variance of a ratio or of a quantile. So one calculation serves all
 * kinds (van Belle, "Statistical Rules of Thumb", 2008, chapter 2; Zhou, Lu, Shallah, "All about Sample-Size Calculations for A/B
 * Testing", CIKM 2023, for ratios and quantiles).
 */
import { alwaysValid, alwaysValidBound } from "./always-valid.ts";
import { criticalT } from "./distributions.ts";
import { answer, type NonAnswer, noAnswer } from "./estimate.ts";
import { sequentialPower } from "./group-sequential.ts";
import { upperNoncentralT } from "./noncentral-t.ts";
import { upperNormal } from "./normal.ts";
import type { Baseline, Plan, PlanAnswer } from "./power-plan.ts";
import { welchSatterthwaite } from "./welch.ts";

/**
 * The probability that the comparison comes out: the interval leaves zero out, or lies on the right side of the margin.
 *
 * For one look, from the noncentral t distribution with noncentrality `effect / SE` (Cohen, "Statistical Power Analysis for the
 * Behavioral Sciences", 1988, chapter 2; non-inferiority with `effect + margin`: Julious, Statistics in Medicine 23, 2004, section
 * 5) and Welch's degrees of freedom: exact for normal values of equal spread in equal arms, asymptotic otherwise, and the poorer
 * for proportions the fewer events are expected (docs/statistics.md has figures).
 *
 * Always-valid, it is the probability that the interval leaves zero out at the planned end, from the normal distribution: a lower
 * bound of the probability that it does at some look until then. Group-sequential, that of crossing a bound at any look, the
 * statistic being normal with the drift `effect / SE` at the planned end (Jennison, Turnbull, 2000, section 2.3).
 * @param effect treated minus control, signed; on the units that the change can touch.
 * @param units of the whole experiment.
 */
export function power(plan: Plan, baseline: Baseline, effect: number, units: number): PlanAnswer<number> {
  const wrong = unusable(baseline, effect);
  if (wrong !== undefined) return noAnswer(wrong);
  const sizes = armSizes(plan, units);
  if (!(sizes.control > 1 && sizes.treated > 1)) return noAnswer("one-unit");
  if (!isPossible(baseline, baseline.value + seenEffect(plan, effect))) return noAnswer("out-of-reach");
  const found = powerAt(plan, baseline, effect, units);
  return Number.isFinite(found) ? answer(found) : noAnswer("infinite");
}

export function unusable(baseline: Baseline, effect: number): NonAnswer | undefined {
  if (![baseline.value, baseline.unitVariance, effect].every(Number.isFinite)) return "infinite";
  if (baseline.spread === "grows" && baseline.value === 0) return "zero-control";
  return baseline.unitVariance > 0 ? undefined : "no-variance";
}

/** Shares stay between 0 and 1, and what is multiplied does not change its sign. */
function isPossible({ spread, value }: Baseline, shifted: number): boolean {
  if (spread === "proportion") return shifted >= 0 && shifted <= 1;
  return spread === "constant" || shifted / value >= 0;
}

function armSizes(plan: Plan, units: number): { control: number; treated: number } {
  const analysed = plan.analysed === "triggered" ? units * plan.triggerRate : units;
  return { control: analysed * plan.shares.control, treated: analysed * plan.shares.treated };
}

/**
 * Whom the change cannot touch dilutes the effect (Deng, Hu, "Diluted Treatment Effect Estimation for Trigger Analysis in
 * Online Controlled Experiments", WSDM 2015, section 2).
 */
function seenEffect(plan: Plan, effect: number): number {
  return plan.analysed === "triggered" ? effect : effect * plan.triggerRate;
}

function varianceAt({ spread, value, unitVariance }: Baseline, shifted: number): number {
  if (spread === "proportion") return Math.max(0, shifted * (1 - shifted));
  return spread === "constant" ? unitVariance : unitVariance * Math.max(0, shifted / value) ** 2;
}

/** The same of what is possible, without an answer's form: for searches. */
export function powerAt(plan: Plan, baseline: Baseline, effect: number, units: number): number {
  const sizes = armSizes(plan, units);
  const seen = seenEffect(plan, effect);
  const left = 1 - plan.varianceReduction;
  const treatedVariance = varianceAt(baseline, baseline.value + seen);
  const control = {
    units: sizes.control,
    value: 0,
    variance: (left * baseline.unitVariance) / sizes.control,
  };
  const treated = { units: sizes.treated, value: seen, variance: (left * treatedVariance) / sizes.treated };
  const standardError = Math.sqrt(control.variance + treated.variance);
  const level = plan.alpha / plan.comparisons;
  const better = plan.goal === "higher" ? seen : -seen;
  const noncentrality = (better + (plan.margin ?? 0)) / standardError;
  const oneSided = plan.margin !== undefined;
  if (plan.monitoring === "always-valid") {
    const critical = alwaysValidCritical(sizes.control + sizes.treated, level, oneSided);
    const above = upperNormal(critical - noncentrality);
    return oneSided ? above : above + upperNormal(critical + noncentrality);
  }
  if (plan.monitoring !== "fixed") {
    const above = sequentialPower(plan.monitoring, noncentrality);
    return oneSided ? above : above + sequentialPower(plan.monitoring, -noncentrality);
  }
  const freedom = welchSatterthwaite(treated, control);
  const critical = criticalT(oneSided ? 2 * level : level, freedom);
  const above = upperNoncentralT(critical, freedom, noncentrality);
  return oneSided ? above : above + upperNoncentralT(critical, freedom, -noncentrality);
}

/** Standard errors by which the effect must be seen at the planned end, for which the sequence is tuned. */
function alwaysValidCritical(units: number, alpha: number, oneSided: boolean): number {
  if (!oneSided) {
    return alwaysValid({ estimate: 0, standardError: 1, statistic: 0 }, units, alpha, units).ciHigh;
  }
  const question = { side: "above", than: 0, alpha, tunedUnits: units } as const;
  const bound = alwaysValidBound({ estimate: 0, standardError: 1 }, units, question);
  return bound.ok ? -bound.value.bound : Number.POSITIVE_INFINITY;
}
