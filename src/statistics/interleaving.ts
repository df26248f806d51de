/**
 * Two rankers in one list (team-draft interleaving: Radlinski, Kurup, Joachims, "How Does Clickthrough Data Reflect
 * Retrieval Quality?", CIKM 2008): each unit compares them itself, which needs far fewer units than two arms do. A unit
 * counts once, whatever it did (credit per unit: Chapelle, Joachims, Radlinski, Yue, TOIS 30, 2012, section 5).
 */
import gammaln from "@stdlib/math-base-special-gammaln";
import { type AlwaysValid, alwaysValid } from "./always-valid.ts";
import { upperBinomial } from "./beta-tails.ts";
import { type Answer, answer, estimateOfMean, noAnswer } from "./estimate.ts";
import { type Moments, noMoments } from "./moments.ts";
import { increasingRoot } from "./root.ts";
import { type Difference, studentTest } from "./welch.ts";

/** Mergeable. `preference` is over the units that gave any credit. */
export interface InterleavingSums {
  readonly units: number;
  readonly winsFirst: number;
  readonly winsSecond: number;
  readonly slots: number;
  readonly competitive: number;
  readonly preference: Moments;
}

/** `no-credit`: no unit prefers either; `no-competitive-slots`: the lists never differed. */
export type NoPreference =
  | "no-units"
  | "one-unit"
  | "no-variance"
  | "infinite"
  | "no-credit"
  | "no-competitive-slots";

export const noInterleavingSums: InterleavingSums = {
  units: 0,
  winsFirst: 0,
  winsSecond: 0,
  slots: 0,
  competitive: 0,
  preference: noMoments,
};

/** Of all slots: near-identical rankers leave few, and then a small preference can be a large difference where it counts. */
export function competitiveShare({ slots, competitive }: InterleavingSums): Answer<number, NoPreference> {
  return slots === 0 ? noAnswer("no-units") : answer(competitive / slots);
}

export interface SignTest {
  /** Share of the deciding units that prefer the first; ties do not decide. */
  readonly share: number;
  /** Two-sided. */
  readonly pValue: number;
}

/** Exact binomial against one half: twice the smaller tail, at most 1. For one look. */
export function signTest(sums: InterleavingSums): Answer<SignTest, NoPreference> {
  const unfit = withoutPreference(sums);
  if (unfit !== undefined) return noAnswer(unfit);
  const trials = sums.winsFirst + sums.winsSecond;
  const more = Math.max(sums.winsFirst, sums.winsSecond);
  return answer({
    share: sums.winsFirst / trials,
    pValue: Math.min(1, 2 * upperBinomial(more, trials, 0.5)),
  });
}

/** Student's one-sample t on the preferences: it weighs how clear each is. For one look. */
export function preferenceTest(sums: InterleavingSums, alpha: number): Answer<Difference, NoPreference> {
  const unfit = withoutPreference(sums);
  if (unfit !== undefined) return noAnswer(unfit);
  const mean = estimateOfMean(sums.preference);
  if (!mean.ok) return noAnswer(mean.reason === "one-unit" ? "one-unit" : "infinite");
  if (mean.value.variance === 0) return noAnswer("no-variance");
  const { value, variance, units } = mean.value;
  return studentTest(value, Math.sqrt(variance), units - 1, alpha);
}

/** The same at any time: the asymptotic confidence sequence of the mean preference. */
export function alwaysValidPreference(
  sums: InterleavingSums,
  alpha: number,
  tunedUnits: number,
): Answer<AlwaysValid, NoPreference> {
  const tested = preferenceTest(sums, alpha);
  return tested.ok ? answer(alwaysValid(tested.value, sums.preference.count, alpha, tunedUnits)) : tested;
}

/** Of the share of deciding units that prefer the first. */
export interface AlwaysValidShare {
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
}

/** The prior Beta(50, 50): shares within five points of one half, which is where rankers differ. */
const prior = 50;

/**
 * The sign test at any time, exact from the first unit on: the mixture likelihood ratio
 * `E(p) = B(w + a, l + a) / B(a, a) / (p^w (1 - p)^l)` is a martingale where the share is p, and so ever reaches
 * 1 / alpha with a probability of at most alpha (Ville, 1939; mixtures: Robbins, Annals of Mathematical Statistics 41,
 * 1970). The p-value is `1 / E(1/2)`; the interval holds the shares with `E < 1 / alpha`.
 */
export function alwaysValidSign(
  sums: InterleavingSums,
  alpha: number,
): Answer<AlwaysValidShare, NoPreference> {
  const unfit = withoutPreference(sums);
  if (unfit !== undefined) return noAnswer(unfit);
  const { winsFirst: wins, winsSecond: losses } = sums;
  const mixed = logBeta(wins + prior, losses + prior) - logBeta(prior, prior);
  const log = (share: number) => mixed - times(wins, Math.log(share)) - times(losses, Math.log1p(-share));
  const enough = -Math.log(alpha);
  const share = wins / (wins + losses);
  return answer({
    low: wins === 0 ? 0 : increasingRoot((at) => enough - log(at), 0, share),
    high: losses === 0 ? 1 : increasingRoot((at) => log(at) - enough, share, 1),
    pValue: Math.min(1, Math.exp(-log(0.5))),
  });
}

/** 0 times infinity is 0 here: what never happened says nothing. */
function times(count: number, log: number): number {
  return count === 0 ? 0 : count * log;
}

function logBeta(a: number, b: number): number {
  return gammaln(a) + gammaln(b) - gammaln(a + b);
}

function withoutPreference(sums: InterleavingSums): NoPreference | undefined {
  if (sums.units === 0) return "no-units";
  if (sums.competitive === 0) return "no-competitive-slots";
  return sums.winsFirst + sums.winsSecond === 0 ? "no-credit" : undefined;
}
