/**
 * Sample ratio by stratum (day, surface, latency bucket): a fault that comes and goes, or that hits two strata in
 * opposite ways, is lost in the total (Fabijan et al., "Diagnosing Sample Ratio Mismatch", KDD 2019, section 5).
 */
import { holm } from "./holm.ts";
import { healthAlpha, sampleRatio } from "./sample-ratio.ts";

/** Chi-square is rough where a cell expects fewer (Cochran, Annals of Mathematical Statistics 23, 1952). */
const smallestCell = 5;

export interface Stratum {
  readonly name: string;
  /** Units by arm, in the order of the weights. A unit may be in several strata. */
  readonly units: readonly number[];
}

export interface StratumRatio {
  readonly name: string;
  readonly units: number;
  /** Both undefined where an arm expects fewer than five units: such a stratum is not judged. */
  readonly pValue: number | undefined;
  readonly pValueAdjusted: number | undefined;
  readonly ok: boolean;
}

/**
 * Pearson's chi-square of each stratum against the weights, Holm over those that can be judged: it holds also where the
 * same units come on several days. Strata must be known before assignment, or be the same for both arms where all is
 * well: an arm that is slower has more of its units in the slow bucket, which is an effect and not a fault of the split.
 */
export function strataSampleRatio(strata: readonly Stratum[], weights: readonly number[]): StratumRatio[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const least = Math.min(...weights.filter((weight) => weight > 0)) / total;
  const tested = strata.map(({ name, units }) => {
    const seen = units.reduce((sum, count, arm) => sum + ((weights[arm] ?? 0) > 0 ? count : 0), 0);
    const pValue = seen * least >= smallestCell ? sampleRatio(units, weights).pValue : undefined;
    return { name, units: seen, pValue };
  });
  const judged = tested.flatMap(({ pValue }) => (pValue === undefined ? [] : [pValue]));
  const adjusted = holm(judged).values();
  return tested.map((one) => {
    const pValueAdjusted = one.pValue === undefined ? undefined : adjusted.next().value;
    return { ...one, pValueAdjusted, ok: pValueAdjusted === undefined || pValueAdjusted >= healthAlpha };
  });
}
