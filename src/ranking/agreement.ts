import { kendallTau } from "./kendall.ts";
import { bestFirst } from "./selection.ts";

/** How far the best of two models are the same. */
export interface TopAgreement {
  /** Of the best `k` of either, the share that both have; of all, where there are no more than `k`. */
  readonly overlap: number;
  /** How many of them stand at the same places from the first on. */
  readonly agreeing: number;
  /** The places of the other's best. */
  readonly best: Uint32Array;
}

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
  let sum = 0;
  for (let place = 0; place < count; place++) {
    sum += Math.abs((one[place] as number) - (other[place] as number)) / count;
  }
  return {
    tau: kendallTau(one, other),
    overlap: topAgreement(one, other, k).overlap,
    scoreDifference: Math.min(sum, Number.MAX_VALUE),
  };
}

/** As `agreement`, of the best `k` alone. */
export function topAgreement(one: Float64Array, other: Float64Array, k: number): TopAgreement {
  const shown = Math.min(k, one.length);
  const served = bestFirst(one, shown);
  const best = bestFirst(other, shown);
  const set = new Set(served);
  let shared = 0;
  for (const place of best) if (set.has(place)) shared += 1;
  let agreeing = 0;
  while (agreeing < shown && served[agreeing] === best[agreeing]) agreeing += 1;
  return { overlap: shared / shown, agreeing, best };
}
