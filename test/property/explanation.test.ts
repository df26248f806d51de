import fc from "fast-check";
import { expect, test } from "vitest";
import { explainRanking, rankCandidates } from "../../src/ranking/ranking.ts";
import { modelWith } from "../support/ranking-model.ts";

const tasks = ["click", "completion", "skip"];
const weight = fc.double({ min: -4, max: 4, noNaN: true });
const probability = fc.float({ min: 0, max: 1, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const label = fc.option(fc.constantFrom("a1", "a2", "a3"), { nil: undefined });
const ranking = fc
  .record({
    kind: fc.constantFrom("weighted-sum" as const, "weighted-product" as const),
    weights: fc.dictionary(fc.constantFrom(...tasks), weight, { minKeys: 1 }),
    powers: fc.dictionary(fc.constantFrom(...tasks), fc.double({ min: 0.1, max: 5, noNaN: true })),
    diversity: fc.array(fc.record({ by: fc.constant("artist"), decay: share, floor: share }), {
      maxLength: 2,
    }),
    rows: fc.array(fc.record({ p: fc.tuple(probability, probability, probability), label }), {
      maxLength: 40,
    }),
    limit: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
  })
  .map(({ kind, weights, powers, diversity, rows, limit }) => ({
    candidates: rows.map((_, place) => ({ id: `t${place}` })),
    probabilities: Float32Array.from(rows.flatMap(({ p }) => p)),
    model: modelWith({
      tasks,
      valueModel: { kind, weights, diversity, ...(kind === "weighted-sum" ? { powers } : {}) },
    }),
    labels: diversity.map(() => rows.map((row) => row.label)),
    limit,
  }));

test("each item's parts make its fused score, and its steps make the score that it went out with", () => {
  fc.assert(
    fc.property(ranking, (input) => {
      const items = rankCandidates(input);
      const explained = explainRanking(input).items;
      expect(explained).toHaveLength(items.length);
      for (const [at, { parts, fused, steps }] of explained.entries()) {
        const values = Object.values(parts);
        const product = input.model.valueModel.kind === "weighted-product";
        const whole = values.reduce((a, b) => (product ? a * b : a + b), product ? 1 : 0);
        expect(Math.abs(whole - fused)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(fused)));
        let score = fused;
        for (const one of steps) {
          score *= one.factor;
          expect(one.score).toBe(score);
        }
        expect(items[at]?.score).toBe(score);
      }
    }),
  );
});

test("a part for every task that weighs something, a step for every entry of the value model", () => {
  fc.assert(
    fc.property(ranking, (input) => {
      const { weights, diversity = [] } = input.model.valueModel;
      const weighed = tasks.filter((task) => (weights[task] ?? 0) !== 0);
      for (const { parts, steps } of explainRanking(input).items) {
        expect(Object.keys(parts)).toEqual(weighed);
        expect(steps.map(({ by }) => by)).toEqual(diversity.map(({ by }) => by));
      }
    }),
  );
});
