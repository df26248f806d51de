import type { RankingExplanation } from "../domain/explanation.ts";
import type { Model } from "../domain/model.ts";
import type { Candidate, CandidateList, RankedItem } from "../domain/rank.ts";
import { type Labels, spread } from "./diversity.ts";
import { explained } from "./explanation.ts";
import { fusedScores } from "./fusion.ts";
import { bestFirst } from "./selection.ts";
import { type PlannedStep, type ValuePlan, valuePlan } from "./value-plan.ts";

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

/** The order that an input makes, before anything of it becomes an object. */
export interface RankedList {
  readonly input: RankingInput;
  readonly plan: ValuePlan;
  /** `[candidates]`, finite numbers. */
  readonly scores: Float64Array;
  /** The places of those that go out, best first, ties by the lower place; each at most once. */
  readonly order: Uint32Array;
}

/** @throws {Error} where `probabilities` is not `[candidates, tasks]`: the scorer broke its promise. */
export function rankedList(input: RankingInput): RankedList {
  const { candidates, limit } = input;
  const plan = input.plan ?? valuePlan(input.model);
  const scores = scoresBy(plan, input);
  const order = bestFirst(scores, Math.min(limit ?? candidates.length, candidates.length));
  return { input, plan, scores, order };
}

/** The candidate at `place` as it goes out. */
export function itemAt({ input, plan, scores }: RankedList, place: number, position: number): RankedItem {
  return {
    id: (input.candidates.at(place) as Candidate).id,
    position,
    score: scores[place] as number,
    tasks: plan.readTasks(input.probabilities, place * plan.width),
  };
}

/** The list as it goes out: only those items become objects. */
export function itemsOf(list: RankedList): RankedItem[] {
  const { order } = list;
  const items: RankedItem[] = new Array(order.length);
  for (let at = 0; at < order.length; at++) items[at] = itemAt(list, order[at] as number, at + 1);
  return items;
}

/**
 * Why the list stands as it does: worked out again, with a note of every step, so that who does not ask pays nothing.
 */
export function explainList({ plan, input }: Pick<RankedList, "plan" | "input">): RankingExplanation {
  const { valueModel, origin } = plan;
  return { valueModel, origin, items: explained(plan, input) };
}

/** The scores that a list of the input goes by, of all candidates. @throws {Error} as `rankedList`. */
export function scoresBy(
  plan: ValuePlan,
  { candidates, probabilities, model, labels }: RankingInput,
): Float64Array {
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
