/** What the analysis folds of logged decisions in SQL, folded here. */
import { crossMomentsOf, mergeCrossMoments, noCrossMoments } from "../../src/statistics/moments.ts";
import type { OffPolicySums } from "../../src/statistics/off-policy.ts";

/** One logged action. */
export interface LoggedDecision {
  /** With which the logging policy took this action, in (0, 1]. */
  readonly propensity: number;
  /** With which the target policy takes the same action. */
  readonly target: number;
  readonly reward: number;
  /** Of the target policy's probability here, that on actions which the logging policy never takes. */
  readonly unsupported: number;
  /** A reward model's expectations: of the logged action, and over the target policy's actions. For the doubly robust. */
  readonly model?: { readonly logged: number; readonly target: number };
}

export const noOffPolicySums: OffPolicySums = {
  ips: noCrossMoments,
  snips: noCrossMoments,
  doublyRobust: noCrossMoments,
  weights: noCrossMoments,
  modelled: 0,
  decisions: 0,
  weight: 0,
  squaredWeight: 0,
  squaredUnitWeight: 0,
  largestWeight: 0,
  unsupported: 0,
};

/** One unit's decisions, all of them. A propensity of 0 for an action that was taken is a log that cannot be right. */
export function offPolicySumsOf(decisions: readonly LoggedDecision[]): OffPolicySums {
  if (decisions.length === 0) return noOffPolicySums;
  let [weight, squaredWeight, largestWeight, earned, robust, modelled, unsupported] = [0, 0, 0, 0, 0, 0, 0];
  for (const { propensity, target, reward, model, unsupported: mass } of decisions) {
    unsupported += propensity > 0 ? mass : 1;
    if (!(propensity > 0)) continue;
    const w = target / propensity;
    weight += w;
    squaredWeight += w * w;
    largestWeight = Math.max(largestWeight, w);
    earned += w * reward;
    if (model === undefined) continue;
    modelled += 1;
    robust += model.target + w * (reward - model.logged);
  }
  const of = (x: number, y: number) => crossMomentsOf([[x, y]]);
  return {
    ips: of(decisions.length, earned),
    snips: of(weight, earned),
    doublyRobust: of(decisions.length, robust),
    weights: of(decisions.length, weight),
    modelled,
    decisions: decisions.length,
    weight,
    squaredWeight,
    squaredUnitWeight: weight * weight,
    largestWeight,
    unsupported,
  };
}

/** Of units that are in only one of the two. */
export function mergeOffPolicySums(a: OffPolicySums, b: OffPolicySums): OffPolicySums {
  return {
    ips: mergeCrossMoments(a.ips, b.ips),
    snips: mergeCrossMoments(a.snips, b.snips),
    doublyRobust: mergeCrossMoments(a.doublyRobust, b.doublyRobust),
    weights: mergeCrossMoments(a.weights, b.weights),
    modelled: a.modelled + b.modelled,
    decisions: a.decisions + b.decisions,
    weight: a.weight + b.weight,
    squaredWeight: a.squaredWeight + b.squaredWeight,
    squaredUnitWeight: a.squaredUnitWeight + b.squaredUnitWeight,
    largestWeight: Math.max(a.largestWeight, b.largestWeight),
    unsupported: a.unsupported + b.unsupported,
  };
}
