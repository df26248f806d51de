/**
 * How many units an experiment needs, what it can find with those it gets, and how sure it is to find it.
 *
 * Every metric comes down to one number, the variance of one unit's influence on the arm's estimate: `s^2` of a mean,
 * `p (1 - p)` of a proportion, n times the delta method's variance of a ratio or of a quantile. So one calculation serves all
 * kinds (van Belle, "Statistical Rules of Thumb", 2008, chapter 2; Zhou, Lu, Shallah, "All about Sample-Size Calculations for A/B
 * Testing", CIKM 2023, for ratios and quantiles).
 */
import { alwaysValid, alwaysValidBound } from "./always-valid.ts";
import { criticalT } from "./distributions.ts";
import { type Answer, answer, type Estimate, type NonAnswer, noAnswer } from "./estimate.ts";
import { type SequentialBounds, sequentialPower } from "./group-sequential.ts";
import { upperNoncentralT } from "./noncentral-t.ts";
import { upperNormal } from "./normal.ts";
import { increasingRoot } from "./root.ts";
import { welchSatterthwaite } from "./welch.ts";

/** What is known of control before the experiment. */
export interface Baseline {
  readonly value: number;
  /** The variance of one unit's influence: the square of the estimate's standard error times its units. */
  readonly unitVariance: number;
  /** How an effect changes it. */
  readonly spread: Spread;
}

/**
 * What becomes of one unit's variance in the treated arm:
 * - `constant`: it stays, as where an effect is added to every value, or is so small that it makes no difference;
 * - `proportion`: `p (1 - p)` at the shifted share;
 * - `grows`: the effect multiplies every value (a latency that is a tenth longer), so that the standard deviation of a mean, of
 *   a quantile and of a ratio's linear form is multiplied too, each being homogeneous in the values: variance times
 *   `(shifted / value)^2`.
 */
export type Spread = "constant" | "proportion" | "grows";

/** From the estimate of a mean, a ratio or a quantile in a log or a table. */
export function baselineOf(estimate: Estimate, spread: "constant" | "grows" = "constant"): Baseline {
  const unitVariance = estimate.variance * estimate.units;
  return { value: estimate.value, unitVariance, spread };
}

export function baselineOfProportion(share: number): Baseline {
  return { value: share, unitVariance: share * (1 - share), spread: "proportion" };
}

export interface Plan {
  /** Two-sided for a difference, one-sided for non-inferiority. */
  readonly alpha: number;
  /** Of all units in the experiment, those of the two arms that are compared; other arms may have the rest. */
  readonly shares: { readonly control: number; readonly treated: number };
  /** Primary metrics times treated arms: each comparison is planned at alpha over this (Bonferroni, Holm's first step). */
  readonly comparisons: number;
  /** Which way is better. */
  readonly goal: "higher" | "lower";
  /** Non-inferiority: "not worse than control by this much" is to be shown, in the metric's units. Undefined: a difference. */
  readonly margin: number | undefined;
  /** The share of the variance that CUPED takes away, rho squared. */
  readonly varianceReduction: number;
  /** The share of units that the change can touch at all, in (0, 1]; the effect is that on these. */
  readonly triggerRate: number;
  /** Whether the analysis leaves out the units that the change cannot touch. The baseline is that of whom it analyses. */
  readonly analysed: "triggered" | "everybody";
  /**
   * One look at the end; the always-valid interval tuned for the planned number of analysed units; or a group-sequential
   * design at alpha over the comparisons, of two sides for a difference and one with a margin.
   */
  readonly monitoring: "fixed" | "always-valid" | SequentialBounds;
}

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

type PlanAnswer<T> = Answer<T, NonAnswer | "out-of-reach">;

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

/** Whole numbers, enough for each arm. */
export interface SampleSize {
  /** Of the whole experiment, other arms included. */
  readonly units: number;
  /** Assigned to the arm. */
  readonly control: number;
  readonly treated: number;
  /** Analysed units of both arms together: the N* of an always-valid interval. */
  readonly analysed: number;
}

/** More units than there are people: what needs these is out of reach. */
const unitsMax = 1e12;

/** The smallest sample with which `power` is at least `wanted`, in (alpha, 1). */
export function sampleSize(
  plan: Plan,
  baseline: Baseline,
  effect: number,
  wanted: number,
): PlanAnswer<SampleSize> {
  const wrong = unusable(baseline, effect);
  if (wrong !== undefined) return noAnswer(wrong);
  const first = power(plan, baseline, effect, unitsMax);
  if (!first.ok) return first;
  if (first.value < wanted) return noAnswer("out-of-reach");
  const part = plan.analysed === "triggered" ? plan.triggerRate : 1;
  const least = 2 / (Math.min(plan.shares.control, plan.shares.treated) * part);
  const missing = (logUnits: number): number => powerAt(plan, baseline, effect, Math.exp(logUnits)) - wanted;
  let most = Math.log(least) + Math.LN2;
  while (missing(most) < 0) most += Math.LN2;
  const units = Math.exp(increasingRoot(missing, Math.log(least), most));
  const control = whole(plan.shares.control * units);
  const treated = whole(plan.shares.treated * units);
  const all = Math.max(control / plan.shares.control, treated / plan.shares.treated);
  return answer({ units: whole(all), control, treated, analysed: whole((control + treated) * part) });
}

/** Rounded up, but 100.0000001 units, which the search may leave of 100, are not 101. */
function whole(units: number): number {
  return Math.ceil(units - 1e-6);
}

/**
 * The smallest effect, towards the goal, that is found with probability `wanted`; with a margin, the smallest true effect (which
 * may be a harm within the margin) at which non-inferiority is shown. Signed: negative where lower is better.
 */
export function detectableEffect(
  plan: Plan,
  baseline: Baseline,
  units: number,
  wanted: number,
): PlanAnswer<number> {
  const none = power(plan, baseline, 0, units);
  if (!none.ok) return none;
  const sign = plan.goal === "higher" ? 1 : -1;
  // In spreads of one unit, so that the search is as fine whatever the metric is measured in.
  const spread = Math.sqrt(baseline.unitVariance) / (plan.analysed === "triggered" ? 1 : plan.triggerRate);
  const missing = (size: number): number => powerAt(plan, baseline, sign * size * spread, units) - wanted;
  const start = -(plan.margin ?? 0) / Math.sqrt(baseline.unitVariance);
  const room = roomFor(baseline, sign) / Math.sqrt(baseline.unitVariance);
  const most = Number.isFinite(room) ? room : doubled(missing);
  if (!(missing(most) >= 0)) return noAnswer("out-of-reach");
  return answer(sign * spread * increasingRoot(missing, start, most));
}

/** The smallest margin for which non-inferiority is shown with probability `wanted`, the true effect being `effect`. */
export function provableMargin(
  plan: Plan,
  baseline: Baseline,
  effect: number,
  units: number,
  wanted: number,
): PlanAnswer<number> {
  const none = power({ ...plan, margin: 0 }, baseline, effect, units);
  if (!none.ok) return none;
  const spread = Math.sqrt(baseline.unitVariance);
  const missing = (margin: number): number =>
    powerAt({ ...plan, margin: margin * spread }, baseline, effect, units) - wanted;
  const most = doubled(missing);
  return missing(most) >= 0 ? answer(spread * increasingRoot(missing, 0, most)) : noAnswer("out-of-reach");
}

/** The first power of two at which nothing is missing, or one so large that this will not come. */
function doubled(missing: (size: number) => number): number {
  let size = 1;
  while (missing(size) < 0 && size < 1e30) size *= 2;
  return size;
}

/**
 * Whole days until `units` different units have come.
 * @param newUnits that come on each day for the first time, the last number repeating: units that return are no new ones, so
 * a log's curve falls, and a constant is too hopeful.
 */
export function days(units: number, newUnits: readonly number[]): PlanAnswer<number> {
  let [come, day] = [0, 0];
  for (const arrivals of newUnits) {
    if (come >= units) return answer(day);
    come += arrivals;
    day += 1;
  }
  if (come >= units) return answer(day);
  const rate = newUnits.at(-1) ?? 0;
  return rate > 0 ? answer(day + Math.ceil((units - come) / rate)) : noAnswer("out-of-reach");
}

function unusable(baseline: Baseline, effect: number): NonAnswer | undefined {
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

/** How far an effect of this sign can go. */
function roomFor({ spread, value }: Baseline, sign: number): number {
  if (spread === "proportion") return sign > 0 ? 1 - value : value;
  return spread === "grows" && sign * value < 0 ? Math.abs(value) : Number.POSITIVE_INFINITY;
}

function varianceAt({ spread, value, unitVariance }: Baseline, shifted: number): number {
  if (spread === "proportion") return Math.max(0, shifted * (1 - shifted));
  return spread === "constant" ? unitVariance : unitVariance * Math.max(0, shifted / value) ** 2;
}

function powerAt(plan: Plan, baseline: Baseline, effect: number, units: number): number {
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
