/** From probabilities to the order that goes out. Pure. */
import type { RankingExplanation } from "../domain/explanation.ts";
import type { Candidate, CandidateList, RankedItem } from "../domain/rank.ts";
import { explainList, itemsOf, type RankingInput, rankedList, scoresBy } from "./ranked-list.ts";
import { valuePlan } from "./value-plan.ts";

export { agreement, topAgreement } from "./agreement.ts";
export type { Labels } from "./diversity.ts";
export { coinOf } from "./interleave.ts";
export { explainInterleaving, interleaveLists } from "./interleaved-list.ts";
export { explainList, itemsOf, type RankedList, type RankingInput, rankedList } from "./ranked-list.ts";
export { type ValuePlan, valuePlan } from "./value-plan.ts";

/**
 * The candidates ordered by the value model, best first, ties by their place in the request; each at most once,
 * positions from 1. Only items that go out become objects.
 * @throws {Error} where `probabilities` is not `[candidates, tasks]`: the scorer broke its promise.
 */
export function rankCandidates(input: RankingInput): RankedItem[] {
  return itemsOf(rankedList(input));
}

/** The scores by which `rankCandidates` orders the same input, of all candidates: `[candidates]`, finite numbers. */
export function candidateScores(input: RankingInput): Float64Array {
  return scoresBy(input.plan ?? valuePlan(input.model), input);
}

/** Why `rankCandidates` puts the same input in the order that it does. */
export function explainRanking(input: RankingInput): RankingExplanation {
  return explainList({ plan: input.plan ?? valuePlan(input.model), input });
}

/** The order in which the candidates came: what is left where no model scored. */
export function incomingOrder(candidates: CandidateList, limit: number | undefined): RankedItem[] {
  const count = Math.min(limit ?? candidates.length, candidates.length);
  return Array.from({ length: count }, (_, place) => {
    const { id } = candidates.at(place) as Candidate;
    return { id, position: place + 1, score: 0, tasks: noTasks };
  });
}

const noTasks: RankedItem["tasks"] = Object.freeze({});
