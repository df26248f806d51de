/** Sample ratio mismatch: did the arms get the units that their weights promised? */
import { upperChiSquare } from "./distributions.ts";

/** Of every test of health: strict, since what fails one makes every other number worthless. */
export const healthAlpha = 0.001;

export interface SampleRatio {
  /** Shares in [0, 1], in the order of the arms; an arm without weight has 0. */
  readonly expected: readonly number[];
  /** Both undefined where nothing can be tested: no units, or fewer than two arms with a weight. */
  readonly statistic: number | undefined;
  readonly pValue: number | undefined;
  readonly ok: boolean;
}

/**
 * Pearson's chi-square of units against weights (Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online
 * Controlled Experiments", KDD 2019). Arms without weight are no cells: they promise nothing, and counting them
 * would add degrees of freedom that hide a mismatch.
 */
export function sampleRatio(units: readonly number[], weights: readonly number[]): SampleRatio {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const expected = weights.map((weight) => (total > 0 ? weight / total : 0));
  const cells = expected.flatMap((share, i) => (share > 0 ? [{ share, seen: units[i] ?? 0 }] : []));
  const seen = cells.reduce((sum, cell) => sum + cell.seen, 0);
  if (seen === 0 || cells.length < 2) return { expected, statistic: undefined, pValue: undefined, ok: true };
  const statistic = cells.reduce((sum, cell) => {
    const promised = cell.share * seen;
    return sum + (cell.seen - promised) ** 2 / promised;
  }, 0);
  const pValue = upperChiSquare(statistic, cells.length - 1);
  return { expected, statistic, pValue, ok: pValue >= healthAlpha };
}
