/** What is left open of a plan: the units that it needs, the effect that it finds, the margin that it shows, and how long it takes. */
import { answer, noAnswer } from "./estimate.ts";
import { power, powerAt, unusable } from "./power.ts";
import type { Baseline, Plan, PlanAnswer } from "./power-plan.ts";
import { increasingRoot } from "./root.ts";

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

/** How far an effect of this sign can go. */
function roomFor({ spread, value }: Baseline, sign: number): number {
  if (spread === "proportion") return sign > 0 ? 1 - value : value;
  return spread === "grows" && sign * value < 0 ? Math.abs(value) : Number.POSITIVE_INFINITY;
}
