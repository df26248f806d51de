/** From probabilities to the order that goes out. Pure. */
import type { Model } from "../domain/model.ts";
import type { Candidate, RankedItem } from "../domain/rank.ts";
import { scoreAt, valuePlan } from "./value-model.ts";

export interface RankingInput {
  readonly candidates: readonly Candidate[];
  /** `[candidates, tasks] float32`, row-major. */
  readonly probabilities: Float32Array;
  readonly model: Model;
  /** At most this many items; all where undefined. */
  readonly limit: number | undefined;
}

/**
 * The candidates ordered by the model's value model, best first, ties by their place in the request; each at most
 * once, positions from 1. Only items that go out become objects.
 * @throws {Error} where `probabilities` is not `[candidates, tasks]`: the scorer broke its promise.
 */
export function rankCandidates({ candidates, probabilities, model, limit }: RankingInput): RankedItem[] {
  const count = candidates.length;
  const width = model.tasks.length;
  if (probabilities.length !== count * width) {
    throw new Error(
      `model ${model.name} gave ${probabilities.length} probabilities for ${count} candidates of ${width} tasks`,
    );
  }
  const plan = valuePlan(model);
  const scores = new Float64Array(count);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    scores[i] = scoreAt(plan, probabilities, i * width);
    order[i] = i;
  }
  // An index array of numbers: 2,000 candidates sort in 0.3 ms, where sorting objects takes three times as long.
  order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);

  const shown = Math.min(limit ?? count, count);
  const items: RankedItem[] = new Array(shown);
  for (let place = 0; place < shown; place++) {
    const index = order[place] as number;
    items[place] = {
      id: (candidates[index] as Candidate).id,
      position: place + 1,
      score: scores[index] as number,
      tasks: tasksAt(model.tasks, probabilities, index * width),
    };
  }
  return items;
}

/** The order in which the candidates came: what is left where no model scored. */
export function incomingOrder(candidates: readonly Candidate[], limit: number | undefined): RankedItem[] {
  const shown = limit === undefined ? candidates : candidates.slice(0, limit);
  return shown.map(({ id }, index) => ({ id, position: index + 1, score: 0, tasks: noTasks }));
}

const noTasks: RankedItem["tasks"] = Object.freeze({});

/** JSON has no NaN: a task that is no number reads 0. */
function tasksAt(tasks: readonly string[], probabilities: Float32Array, offset: number): RankedItem["tasks"] {
  const result: Record<string, number> = {};
  for (let column = 0; column < tasks.length; column++) {
    const p = probabilities[offset + column] as number;
    result[tasks[column] as string] = Number.isFinite(p) ? p : 0;
  }
  return result;
}
