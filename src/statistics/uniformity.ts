/**
 * Self-calibration: p-values of an experiment's own traffic under salts that change nothing must be uniform. Where they
 * are not, the method is wrong for this traffic (rows that are no units, a metric too rare or too skewed).
 */
import { type Answer, answer, noAnswer } from "./estimate.ts";
import { exactKolmogorovUpTo, upperKolmogorov } from "./kolmogorov.ts";

const bins = 20;

/** Fewer say nothing either way. */
const fewest = 100;

/** A rare metric gives the same few p-values again and again; a continuous distribution's test would call that wrong. */
const leastDistinct = 0.5;

/** Of all re-randomisations; more without an answer and the rest are a selection. */
const mostNonAnswers = 0.01;

export interface Uniformity {
  /** Of p-values, and how many fall in each twentieth of [0, 1]. */
  readonly count: number;
  readonly histogram: readonly number[];
  /** The largest distance between the p-values' distribution and the uniform one. */
  readonly statistic: number;
  readonly pValue: number;
  readonly method: "exact" | "asymptotic";
}

/**
 * Kolmogorov and Smirnov's one-sample test against the uniform distribution (Kolmogorov, Giornale dell'Istituto Italiano
 * degli Attuari 4, 1933): `D = max over i of (i / n - p_(i), p_(i) - (i - 1) / n)`. Given the traffic, re-randomisations
 * are independent of each other, as the test asks.
 * @param pValues undefined for a re-randomisation whose test had no answer.
 */
export function uniformity(
  pValues: readonly (number | undefined)[],
): Answer<Uniformity, "few-p-values" | "no-answers" | "not-continuous"> {
  const sorted = pValues.filter((p) => p !== undefined).toSorted((a, b) => a - b);
  const count = sorted.length;
  if (pValues.length - count > mostNonAnswers * pValues.length) return noAnswer("no-answers");
  if (count < fewest) return noAnswer("few-p-values");
  if (new Set(sorted).size < leastDistinct * count) return noAnswer("not-continuous");
  const histogram = new Array<number>(bins).fill(0);
  let statistic = 0;
  for (const [i, p] of sorted.entries()) {
    statistic = Math.max(statistic, (i + 1) / count - p, p - i / count);
    const bin = Math.min(bins - 1, Math.floor(p * bins));
    histogram[bin] = (histogram[bin] as number) + 1;
  }
  const method = count <= exactKolmogorovUpTo ? "exact" : "asymptotic";
  return answer({ count, histogram, statistic, pValue: upperKolmogorov(statistic, count), method });
}
