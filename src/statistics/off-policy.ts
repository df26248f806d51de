/**
 * What another policy would have earned, from what this one was seen to do: each logged reward weighted by how much
 * likelier the target policy would have taken the same action. Rows of one unit depend on each other, so all is summed by
 * unit first, and every estimate is a ratio of per-unit sums with the delta method's variance.
 */
import { type Answer, answer, type Estimate, estimateOfRatio, noAnswer } from "./estimate.ts";
import type { CrossMoments } from "./moments.ts";

/** Mergeable, over units. `x` is the denominator. */
export interface OffPolicySums {
  readonly ips: CrossMoments;
  readonly snips: CrossMoments;
  readonly doublyRobust: CrossMoments;
  /** Weights over decisions. */
  readonly weights: CrossMoments;
  /** Decisions with a reward model; the doubly robust estimate needs it for all. */
  readonly modelled: number;
  readonly decisions: number;
  /** Sums of weights and of their squares, by decision and by unit. */
  readonly weight: number;
  readonly squaredWeight: number;
  readonly squaredUnitWeight: number;
  readonly largestWeight: number;
  readonly unsupported: number;
}

/** `no-support`: the target takes actions that were never logged; `few-effective-units`: a few large weights decide all. */
export type NoPolicyValue =
  | "no-units"
  | "one-unit"
  | "zero-denominator"
  | "infinite"
  | "no-support"
  | "few-effective-units"
  | "no-reward-model";

export interface OffPolicy {
  readonly ips: Answer<Estimate, NoPolicyValue>;
  readonly snips: Answer<Estimate, NoPolicyValue>;
  readonly doublyRobust: Answer<Estimate, NoPolicyValue>;
  /** Kish, Survey Sampling, 1965: `(sum w)^2 / sum w^2`. */
  readonly effectiveDecisions: number;
  readonly effectiveUnits: number;
  readonly largestWeight: number;
  /** Should be 1 within a few of its standard errors; where it is not, the logged propensities are wrong. */
  readonly meanWeight: Answer<Estimate>;
  /** Share of the target's decisions that the log says nothing of. */
  readonly unsupportedShare: number;
}

/** Rounding of probabilities that add up to 1 leaves less; what is more is an action that the target does take. */
const roundedAway = 1e-9;

/**
 * Per decision, with `w = target / propensity` and sums over all decisions:
 * IPS `sum w r / n` (Horvitz, Thompson, JASA 47, 1952); self-normalised `sum w r / sum w` (Swaminathan, Joachims, NIPS
 * 2015, eq. 10), little bias for much less variance; doubly robust `sum (q(target) + w (r - q(logged))) / n` (Dudik,
 * Langford, Li, ICML 2011, eq. 3), right where either the propensities or the reward model are. The model must not have
 * been trained on the same rewards.
 * @param leastEffectiveUnits of the units' weights, below which every estimate is refused: an average of a few.
 */
export function offPolicy(sums: OffPolicySums, leastEffectiveUnits = 100): OffPolicy {
  const effectiveUnits = effective(sums.weight, sums.squaredUnitWeight);
  const unsupportedShare = sums.decisions > 0 ? sums.unsupported / sums.decisions : 0;
  const refused = (): NoPolicyValue | undefined => {
    if (sums.decisions === 0) return "no-units";
    if (unsupportedShare > roundedAway) return "no-support";
    if (!Number.isFinite(sums.squaredUnitWeight)) return "infinite";
    return effectiveUnits < leastEffectiveUnits ? "few-effective-units" : undefined;
  };
  const reason = refused();
  const value = (moments: CrossMoments): Answer<Estimate, NoPolicyValue> =>
    reason === undefined ? policyValue(moments) : noAnswer(reason);
  const isModelled = sums.modelled === sums.decisions;
  return {
    ips: value(sums.ips),
    snips: value(sums.snips),
    doublyRobust:
      reason === undefined && !isModelled ? noAnswer("no-reward-model") : value(sums.doublyRobust),
    effectiveDecisions: effective(sums.weight, sums.squaredWeight),
    effectiveUnits,
    largestWeight: sums.largestWeight,
    meanWeight: estimateOfRatio(sums.weights),
    unsupportedShare,
  };
}

function policyValue(moments: CrossMoments): Answer<Estimate, NoPolicyValue> {
  const estimate = estimateOfRatio(moments);
  if (estimate.ok) return answer(estimate.value);
  const { reason } = estimate;
  return noAnswer(
    reason === "no-units" || reason === "one-unit" || reason === "zero-denominator" ? reason : "infinite",
  );
}

function effective(sum: number, squares: number): number {
  const size = squares > 0 ? (sum / squares) * sum : 0;
  return Number.isFinite(size) ? size : 0;
}
