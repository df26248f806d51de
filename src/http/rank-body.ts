import type { RankAnswer } from "../domain/rank.ts";

/**
 * A rank answer as JSON. Of 20 items with three tasks JSON.stringify takes 11 us and writing by hand 15 to 20, of 200
 * items 90 and 120 to 150, and leaves 20 kB less for the collector (Node 24.21, same run; up to Node 22 it was the
 * other way round). What is not to go out, such as a position, is left out beforehand: that costs next to nothing.
 */
export function rankBody(answer: RankAnswer): string {
  const { requestId, surface, model = null, degraded, decisions, explanation } = answer;
  const items = answer.items.map(({ id, score, tasks }, place) =>
    explanation === undefined
      ? { id, score, tasks }
      : { id, score, tasks, explanation: explanation.items[place] },
  );
  const assignments = answer.assignments.map(({ experiment, arm, layer }) => ({ experiment, arm, layer }));
  return JSON.stringify({
    requestId,
    surface,
    items,
    assignments,
    model,
    degraded,
    decisions,
    valueModel: explanation?.valueModel,
    valueModelOrigin: explanation?.origin,
  });
}
