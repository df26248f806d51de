/** Are the arms alike in what was known before the experiment? Where not, assignment or logging is at fault, or chance. */
import { upperF } from "./beta-tails.ts";
import { type Answer, answer, noAnswer } from "./estimate.ts";
import type { JointMoments } from "./joint-moments.ts";

export interface CovariateBalance {
  /** Of each covariate, in the order of the moments; undefined where it has no spread in either arm. */
  readonly standardised: readonly (number | undefined)[];
  /** Hotelling's T squared as F, over the covariates that say something of their own. */
  readonly statistic: number;
  readonly degreesOfFreedom: readonly [numerator: number, denominator: number];
  readonly pValue: number;
}

/** A covariate that the ones before explain up to this share of its variance says nothing of its own. */
const explained = 1e-10;

/**
 * Standardised differences `(mean(T) - mean(C)) / sqrt((s^2(T) + s^2(C)) / 2)`, which do not grow with the sample; above
 * 0.1 is the usual alarm (Austin, Statistics in Medicine 28, 2009, section 3). Jointly Hotelling's two-sample T squared,
 * `n m / (n + m) d' S^-1 d` with the pooled covariance S, `(n + m - p - 1) / (p (n + m - 2))` of which is F with p and
 * `n + m - p - 1` degrees of freedom (Hotelling, Annals of Mathematical Statistics 2, 1931; as a check of balance:
 * Hansen, Bowers, Statistical Science 23, 2008). Covariates that follow from the others are left out.
 */
export function covariateBalance(treated: JointMoments, control: JointMoments): Answer<CovariateBalance> {
  const [n, m] = [treated.count, control.count];
  if (n === 0 || m === 0) return noAnswer("no-units");
  if (n === 1 || m === 1) return noAnswer("one-unit");
  const gaps = treated.means.map((mean, i) => mean - (control.means[i] as number));
  const standardised = gaps.map((gap, i) => {
    const spread = variance(treated, i) / 2 + variance(control, i) / 2;
    return spread > 0 ? gap / Math.sqrt(spread) : undefined;
  });
  const pooled = treated.products.map((line, i) =>
    line.map((product, j) => (product + (control.products[i]?.[j] as number)) / (n + m - 2)),
  );
  const { squared, rank } = mahalanobis(pooled, gaps);
  if (!Number.isFinite(squared)) return noAnswer("infinite");
  if (rank === 0) return noAnswer("no-covariate-variance");
  const left = n + m - rank - 1;
  if (left < 1) return noAnswer("one-unit");
  const statistic = (((n * m) / (n + m)) * squared * left) / (rank * (n + m - 2));
  return answer({
    standardised,
    statistic,
    degreesOfFreedom: [rank, left],
    pValue: upperF(statistic, rank, left),
  });
}

function variance({ count, products }: JointMoments, at: number): number {
  return (products[at]?.[at] as number) / (count - 1);
}

/** `d' S^-1 d` by Cholesky's factor, row by row, leaving out rows that the ones before explain. */
function mahalanobis(
  s: readonly (readonly number[])[],
  d: readonly number[],
): { squared: number; rank: number } {
  const rows: { at: number; line: number[]; pivot: number; solved: number }[] = [];
  for (const [i, own] of s.entries()) {
    const line: number[] = [];
    let left = own[i] as number;
    let solved = d[i] as number;
    for (const [k, row] of rows.entries()) {
      let product = own[row.at] as number;
      for (let q = 0; q < k; q++) product -= (line[q] as number) * (row.line[q] as number);
      const factor = product / row.pivot;
      line.push(factor);
      left -= factor * factor;
      solved -= factor * row.solved;
    }
    if (left <= explained * (own[i] as number)) continue;
    const pivot = Math.sqrt(left);
    rows.push({ at: i, line, pivot, solved: solved / pivot });
  }
  return { squared: rows.reduce((sum, { solved }) => sum + solved * solved, 0), rank: rows.length };
}
