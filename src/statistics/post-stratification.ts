/**
 * Post-stratification: arms compared within strata (country, tenure) that were known before the exposure, and the strata
 * put together by their shares of all units (Miratrix, Sekhon, Yu, "Adjusting Treatment Effect Estimates by
 * Post-Stratification in Randomized Experiments", Journal of the Royal Statistical Society B 75(2), 2013).
 */
import { type Answer, answer, type Estimate, noAnswer, withoutRounding } from "./estimate.ts";
import { type CrossMoments, type Moments, mergeCrossMoments, noCrossMoments } from "./moments.ts";

export interface PostStratified {
  /** How many strata were compared, those that were too small being one. */
  readonly strata: number;
  /** How many were too small to stand alone and were put together. */
  readonly merged: number;
  /** Share of the variance of the arms' estimates that the strata explain; below 0 where they cost more than they gave. */
  readonly varianceReduction: number;
  /** In the order of the arguments. */
  readonly arms: readonly Estimate[];
}

/**
 * Units that every arm must have in a stratum: with fewer, a variance estimated in it says little, and the gain of order
 * 1/n is eaten up by strata whose arms differ in size by chance (Miratrix et al., section 3).
 */
const stratumUnitsMin = 10;

/**
 * With W the share of a stratum's units among the units of all arms, an arm's estimate is `sum of W mean`, its variance
 * `sum of W^2 s^2 / n` over its own units in each stratum (section 2.2, with the variances that were seen), and the
 * degrees of freedom Satterthwaite's. The strata's sizes are taken as they are, so it speaks of the units that were here;
 * where the effect differs between strata, a population of other shares has another effect.
 *
 * Strata with too few units in any arm are put together, with the next smallest too where that does not do. Sizes alone
 * decide it, never outcomes, so nothing is biased by it.
 *
 * @param arms `[arms][strata]`, strata in the same order in each; x is a ratio's denominator, `unitDenominator` a mean's.
 */
export function postStratified(arms: readonly (readonly CrossMoments[])[]): Answer<PostStratified> {
  const wholes = arms.map((strata) => strata.reduce(mergeCrossMoments, noCrossMoments));
  if (wholes.some((arm) => arm.count === 0)) return noAnswer("no-units");
  if (wholes.some((arm) => arm.count === 1)) return noAnswer("one-unit");
  if (wholes.some((arm) => arm.meanX === 0)) return noAnswer("zero-denominator");
  const { groups, merged } = grouped(arms);
  const all = wholes.reduce((sum, arm) => sum + arm.count, 0);
  const shares = groups.map((group) => group.reduce((sum, { count }) => sum + count, 0) / all);
  const plain = wholes.reduce((sum, arm) => sum + estimateOver([arm], [1]).variance, 0);
  const estimates = arms.map((_, arm) =>
    estimateOver(
      groups.map((group) => group[arm] as CrossMoments),
      shares,
    ),
  );
  const after = estimates.reduce((sum, { variance }) => sum + variance, 0);
  if (![plain, after, ...estimates.map(({ value }) => value)].every(Number.isFinite))
    return noAnswer("infinite");
  if (plain === 0) return noAnswer("no-variance");
  const varianceReduction = 1 - after / plain;
  return answer({ strata: groups.length, merged, varianceReduction, arms: estimates });
}

/** A mean as the ratio to a denominator of one a unit. */
export function unitDenominator(moments: Moments): CrossMoments {
  return { ...noCrossMoments, count: moments.count, meanX: 1, meanY: moments.mean, m2Y: moments.m2 };
}

/** `[strata][arms]`, each with enough units in every arm, or one stratum of all. */
function grouped(arms: readonly (readonly CrossMoments[])[]): { groups: CrossMoments[][]; merged: number } {
  const strata = (arms[0] ?? []).map((_, stratum) => arms.map((arm) => arm[stratum] as CrossMoments));
  const bySize = strata
    .filter((group) => group.some(({ count }) => count > 0))
    .map((group) => ({ group, least: leastOf(group) }))
    .sort((a, b) => a.least - b.least);
  let small = arms.map(() => noCrossMoments);
  let merged = 0;
  for (const { group, least } of bySize) {
    const enough = merged === 0 || leastOf(small) >= stratumUnitsMin;
    if (least >= stratumUnitsMin && enough) break;
    small = small.map((moments, arm) => mergeCrossMoments(moments, group[arm] as CrossMoments));
    merged += 1;
  }
  const large = bySize.slice(merged).map(({ group }) => group);
  return { groups: merged === 0 ? large : [small, ...large], merged };
}

function leastOf(group: readonly CrossMoments[]): number {
  return Math.min(...group.map(({ count }) => count));
}

/** The ratio of the weighted means, its variance from the linear form `(y - R x) / mean(x)` within each stratum. */
function estimateOver(strata: readonly CrossMoments[], shares: readonly number[]): Estimate {
  const weighted = (of: (moments: CrossMoments) => number): number =>
    strata.reduce((sum, moments, i) => sum + (shares[i] as number) * of(moments), 0);
  const base = weighted(({ meanX }) => meanX);
  const value = weighted(({ meanY }) => meanY) / base;
  const parts = strata.map((moments, i) => {
    const sum = moments.m2Y - 2 * value * moments.cXY + value * value * moments.m2X;
    const left = withoutRounding(sum, moments.m2Y + value * value * moments.m2X);
    const freedom = moments.count - 1;
    return { freedom, variance: ((shares[i] as number) / base) ** 2 * (left / freedom / moments.count) };
  });
  const variance = parts.reduce((sum, part) => sum + part.variance, 0);
  const units = strata.reduce((sum, { count }) => sum + count, 0);
  if (variance === 0) return { units, value, variance };
  const spread = parts.reduce((sum, part) => sum + (part.variance / variance) ** 2 / part.freedom, 0);
  return { units, value, variance, degreesOfFreedom: 1 / spread };
}
