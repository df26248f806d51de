/** Is the effect the same in every segment? And does it fade with the days since a unit first saw the change? */
import { upperChiSquare } from "./distributions.ts";
import { type Answer, answer, type Estimate, estimateOfMean, type NonAnswer, noAnswer } from "./estimate.ts";
import { type JointMoments, momentsOfCombination } from "./joint-moments.ts";
import { upperNormal } from "./normal.ts";

/** The effect in one segment: a difference or a lift, of units that are in no other segment. */
export interface SegmentEffect {
  readonly estimate: number;
  /** Above 0: a segment without spread has no effect that could be weighed against others. */
  readonly standardError: number;
}

export interface Heterogeneity {
  /** The segments' mean, weighted by precision. */
  readonly pooled: SegmentEffect;
  /** Cochran's Q. */
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
  /** I^2: the share of the spread between segments that chance alone would not make, in [0, 1). */
  readonly inconsistency: number;
  /** Each segment against all others, in the order of the arguments: to be corrected for their number. */
  readonly against: readonly Contrast[];
}

export interface Contrast {
  readonly estimate: number;
  readonly standardError: number;
  readonly pValue: number;
}

type SegmentsAnswer<T> = Answer<T, NonAnswer | "one-segment">;

/**
 * The interaction test: `Q = sum of w (effect - pooled)^2`, `w = 1 / SE^2`, chi-square with `segments - 1` degrees of freedom
 * where the effect is the same everywhere (Cochran, "The Combination of Estimates from Different Experiments", Biometrics
 * 10(1), 1954). For disjoint segments it is the Wald test of "all effects are equal". `I^2 = 1 - (segments - 1) / Q` (Higgins,
 * Thompson, Statistics in Medicine 21, 2002). The standard errors are taken as known: below about 30 units an arm in a segment
 * the test finds differences too often.
 */
export function heterogeneity(segments: readonly SegmentEffect[]): SegmentsAnswer<Heterogeneity> {
  const reason = unusable(segments);
  if (reason !== undefined) return noAnswer(reason);
  const weights = relativeWeights(segments);
  const total = sum(weights);
  const unit = Math.min(...segments.map(({ standardError }) => standardError));
  const mean = weighted(segments, weights) / total;
  const statistic = sum(
    segments.map(({ estimate, standardError }) => ((estimate - mean) / standardError) ** 2),
  );
  const degreesOfFreedom = segments.length - 1;
  const against = segments.map(({ estimate, standardError }, at) => {
    const restWeight = sum(weights.filter((_, other) => other !== at));
    const others = segments.filter((_, other) => other !== at);
    const rest =
      weighted(
        others,
        weights.filter((_, other) => other !== at),
      ) / restWeight;
    return contrast(estimate - rest, Math.hypot(standardError, unit / Math.sqrt(restWeight)));
  });
  if (![mean, statistic, ...against.map((one) => one.estimate)].every(Number.isFinite))
    return noAnswer("infinite");
  return answer({
    pooled: { estimate: mean, standardError: unit / Math.sqrt(total) },
    statistic,
    degreesOfFreedom,
    pValue: upperChiSquare(statistic, degreesOfFreedom),
    inconsistency: statistic > degreesOfFreedom ? 1 - degreesOfFreedom / statistic : 0,
    against,
  });
}

/** A segment that has a place on a line: the day of the first exposure, a listener's age. */
export interface PlacedEffect extends SegmentEffect {
  readonly at: number;
}

/**
 * The trend of the effect along segments of different units: weighted least squares with known variances, slope
 * `sum of w (at - mean) effect / sum of w (at - mean)^2`, variance the inverse of that denominator (Draper, Smith, "Applied
 * Regression Analysis", 1998, section 9.2). Days since the first exposure are not such segments, since the same units are
 * in several of them: see `trendWithinUnits`.
 */
export function trend(segments: readonly PlacedEffect[]): SegmentsAnswer<Contrast> {
  const reason = unusable(segments);
  if (reason !== undefined) return noAnswer(reason);
  const weights = relativeWeights(segments);
  const unit = Math.min(...segments.map(({ standardError }) => standardError));
  const middle = sum(segments.map(({ at }, i) => (weights[i] as number) * at)) / sum(weights);
  const spread = sum(segments.map(({ at }, i) => (weights[i] as number) * (at - middle) ** 2));
  // Rounding leaves a spread also where all stand in one place.
  if (spread === 0 || segments.every(({ at }) => at === segments[0]?.at)) return noAnswer("one-segment");
  const slope =
    sum(segments.map(({ at, estimate }, i) => (weights[i] as number) * (at - middle) * estimate)) / spread;
  if (!Number.isFinite(slope)) return noAnswer("infinite");
  return answer(contrast(slope, unit / Math.sqrt(spread)));
}

/**
 * Novelty: an arm's mean slope of the outcome over the days since a unit's first exposure, `sum of c y(day)` for each unit
 * with `c = (day - mean) / sum of (day - mean)^2`. A slope is a value of its unit like any other, so the arms' slopes are
 * compared by Welch's test, and it does not matter that the days of a unit resemble each other (the summary-measure
 * analysis of repeated outcomes: Matthews, Altman, Campbell, Royston, British Medical Journal 300, 1990; novelty in
 * experiments: Kohavi, Tang, Xu, "Trustworthy Online Controlled Experiments", 2020, chapter 3). Below 0 in the difference,
 * the effect fades (novelty); above, it grows (learning).
 * @param arm one variable a day, of units that were followed on all of these days: who came late has no say on late days,
 * and mixing them in would show a trend where only the units change.
 * @param days the variables' days, at least two different ones.
 */
export function trendWithinUnits(arm: JointMoments, days: readonly number[]): SegmentsAnswer<Estimate> {
  const mean = sum(days) / days.length;
  const spread = sum(days.map((day) => (day - mean) ** 2));
  if (days.length === 0 || spread === 0) return noAnswer("one-segment");
  return estimateOfMean(
    momentsOfCombination(
      arm,
      days.map((day) => (day - mean) / spread),
    ),
  );
}

function unusable(segments: readonly SegmentEffect[]): NonAnswer | "one-segment" | undefined {
  if (segments.length < 2) return "one-segment";
  if (segments.some(({ standardError }) => standardError === 0)) return "no-variance";
  const numbers = segments.flatMap(({ estimate, standardError }) => [estimate, standardError]);
  return numbers.every(Number.isFinite) ? undefined : "infinite";
}

/** Precisions in units of the largest, so that standard errors of 1e-200 do not overflow. */
function relativeWeights(segments: readonly SegmentEffect[]): number[] {
  const smallest = Math.min(...segments.map(({ standardError }) => standardError));
  return segments.map(({ standardError }) => (smallest / standardError) ** 2);
}

function weighted(segments: readonly SegmentEffect[], weights: readonly number[]): number {
  return sum(segments.map(({ estimate }, i) => (weights[i] as number) * estimate));
}

function contrast(estimate: number, standardError: number): Contrast {
  return {
    estimate,
    standardError,
    pValue: Math.min(1, 2 * upperNormal(Math.abs(estimate / standardError))),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
