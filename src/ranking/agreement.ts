import { kendallTau } from "./kendall.ts";
import { bestFirst } from "./selection.ts";

/** How far two models agree on one request's candidates. */
export interface Agreement {
  /** Kendall's tau-b over all candidates; undefined where one of them scored all alike. */
  readonly tau: number | undefined;
  /** Of the best `k` of either, the share that both have; of all, where there are no more than `k`. */
  readonly overlap: number;
  /** The mean absolute difference of a candidate's two scores. */
  readonly scoreDifference: number;
}

/**
 * Compares two models by the scores that they gave the same candidates, `[candidates]` each and not empty: finite
 * numbers, as `candidateScores` answers. Ties among the best are broken as in an answer, by the candidate's place.
 */
export function agreement(one: Float64Array, other: Float64Array, k: number): Agreement {
  const count = one.length;
  const shown = Math.min(k, count);
  const best = new Set(bestFirst(one, shown));
  let shared = 0;
  for (const place of bestFirst(other, shown)) if (best.has(place)) shared += 1;
  let sum = 0;
  for (let place = 0; place < count; place++) {
    sum += Math.abs((one[place] as number) - (other[place] as number)) / count;
  }
  return {
    tau: kendallTau(one, other),
    overlap: shared / shown,
    scoreDifference: Math.min(sum, Number.MAX_VALUE),
  };
}
