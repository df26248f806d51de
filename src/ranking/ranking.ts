/** From probabilities to the order that goes out. Pure. */
import type { RankingExplanation } from "../domain/explanation.ts";
import type { Model } from "../domain/model.ts";
import type { Candidate, CandidateList, RankedItem } from "../domain/rank.ts";
import { type Labels, spread } from "./diversity.ts";
import { explained } from "./explanation.ts";
import { fusedScores } from "./fusion.ts";
import { bestFirst } from "./selection.ts";
import { type PlannedStep, type ValuePlan, valuePlan } from "./value-plan.ts";

export { agreement } from "./agreement.ts";
export type { Labels } from "./diversity.ts";
export { type ValuePlan, valuePlan } from "./value-plan.ts";

export interface RankingInput {
  readonly candidates: CandidateList;
  /** `[candidates, tasks] float32`, row-major. */
  readonly probabilities: Float32Array;
  readonly model: Model;
  /** The model's own where undefined; else its plan with what the surface and the arm say. */
  readonly plan?: ValuePlan | undefined;
  /** One an entry of `plan.diversity`, in their order; a step without its labels finds no repeats. */
  readonly labels?: readonly Labels[] | undefined;
  /** At most this many items; all where undefined. */
  readonly limit: number | undefined;
}

/**
 * The candidates ordered by the value model, best first, ties by their place in the request; each at most once,
 * positions from 1. Only items that go out become objects.
 * @throws {Error} where `probabilities` is not `[candidates, tasks]`: the scorer broke its promise.
 */
export function rankCandidates(input: RankingInput): RankedItem[] {
  const { candidates, probabilities, model, limit } = input;
  const plan = input.plan ?? valuePlan(model);
  const count = candidates.length;
  const scores = scoresBy(plan, input);
  const order = bestFirst(scores, Math.min(limit ?? count, count));
  const items: RankedItem[] = new Array(order.length);
  for (let at = 0; at < order.length; at++) {
    const place = order[at] as number;
    items[at] = {
      id: (candidates.at(place) as Candidate).id,
      position: at + 1,
      score: scores[place] as number,
      tasks: plan.readTasks(probabilities, place * plan.width),
    };
  }
  return items;
}

/** The scores by which `rankCandidates` orders the same input, of all candidates: `[candidates]`, finite numbers. */
export function candidateScores(input: RankingInput): Float64Array {
  return scoresBy(input.plan ?? valuePlan(input.model), input);
}

function scoresBy(plan: ValuePlan, { candidates, probabilities, model, labels }: RankingInput): Float64Array {
  const count = candidates.length;
  if (probabilities.length !== count * plan.width) {
    throw new Error(
      `model ${model.name} gave ${probabilities.length} probabilities for ${count} candidates of ${plan.width} tasks`,
    );
  }
  const scores = fusedScores(plan, probabilities, count);
  for (let step = 0; step < plan.diversity.length; step++) {
    spread(scores, labels?.[step] ?? [], plan.diversity[step] as PlannedStep);
  }
  return scores;
}

/**
 * Why `rankCandidates` puts the same input in the order that it does: worked out again, with a note of every step, so
 * that who does not ask pays nothing.
 */
export function explainRanking(input: RankingInput): RankingExplanation {
  const plan = input.plan ?? valuePlan(input.model);
  const { valueModel, origin } = plan;
  return { valueModel, origin, items: explained(plan, input) };
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
