import gammaln from "@stdlib/math-base-special-gammaln";

/** How far the prior lets shares stray: for two equal arms a standard deviation of 1.6 percentage points. */
const concentration = 1_000;

/**
 * Sample ratio mismatch, looked at as often as one likes: the Bayes factor of a multinomial whose shares are
 * Dirichlet-distributed around the weights against the weights themselves, which is a martingale where these are true
 * (Lindon, Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS 2022, eq. 5). Its inverse is a p-value
 * that may be held against alpha after every unit.
 * @param units by arm, in the order of `weights`; arms without weight are no cells.
 * @returns 1 where there are fewer than two cells.
 */
export function sequentialSampleRatio(units: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const cells = weights.flatMap((weight, i) =>
    weight > 0 ? [{ share: weight / total, seen: units[i] ?? 0 }] : [],
  );
  if (cells.length < 2) return 1;
  const seen = cells.reduce((sum, cell) => sum + cell.seen, 0);
  const logFactor = cells.reduce(
    (sum, cell) => {
      const prior = concentration * cell.share;
      return sum + gammaln(prior + cell.seen) - gammaln(prior) - cell.seen * Math.log(cell.share);
    },
    gammaln(concentration) - gammaln(concentration + seen),
  );
  return Math.min(1, Math.exp(-logFactor));
}
