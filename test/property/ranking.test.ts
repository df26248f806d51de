import fc from "fast-check";
import { expect, test } from "vitest";
import type { Model } from "../../src/domain/model.ts";
import { incomingOrder, rankCandidates } from "../../src/ranking/ranking.ts";
import { modelWith } from "../support/ranking-model.ts";

const tasks = ["click", "completion", "like"];
// Few values, so that ties are common; and the ones that break comparisons.
const probability = fc.oneof(
  fc.constantFrom(0, 0.25, 0.5, 1, Number.NaN, Number.POSITIVE_INFINITY),
  fc.float({ min: 0, max: 1, noNaN: true }),
);
const weight = fc.oneof(fc.constantFrom(0, 1, -1), fc.double({ min: -100, max: 100, noNaN: true }));
const power = fc.oneof(fc.constantFrom(1, 0.5, 2), fc.double({ min: 0.01, max: 100, noNaN: true }));
const request = fc
  .record({
    kind: fc.constantFrom("weighted-sum" as const, "weighted-product" as const),
    weights: fc.dictionary(fc.constantFrom(...tasks, "unknown"), weight),
    powers: fc.dictionary(fc.constantFrom(...tasks), power),
    rows: fc.array(fc.tuple(probability, probability, probability), { maxLength: 60 }),
    limit: fc.option(fc.integer({ min: 1, max: 80 }), { nil: undefined }),
  })
  .map(({ kind, weights, powers, rows, limit }) => ({
    model: modelWith({
      tasks,
      valueModel: { kind, weights, ...(kind === "weighted-sum" ? { powers } : {}) },
    }),
    rows,
    limit,
    candidates: rows.map((_, i) => ({ id: `t${i}` })),
    probabilities: Float32Array.from(rows.flat()),
  }));

test("what goes out is the candidates, once each, at most limit, in positions from 1", () => {
  fc.assert(
    fc.property(request, (one) => {
      const items = rankCandidates(one);
      expect(items).toHaveLength(Math.min(one.limit ?? one.rows.length, one.rows.length));
      expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
      expect(items.every(({ id }) => one.candidates.some((candidate) => candidate.id === id))).toBe(true);
      expect(items.map(({ position }) => position)).toEqual(items.map((_, i) => i + 1));
    }),
  );
});

test("scores are finite and never rise, ties keep the order of the request, also with broken probabilities", () => {
  fc.assert(
    fc.property(request, (one) => {
      const items = rankCandidates(one);
      for (const [i, item] of items.entries()) {
        expect(Number.isFinite(item.score)).toBe(true);
        expect(Object.values(item.tasks).every(Number.isFinite)).toBe(true);
        const next = items[i + 1] ?? { score: Number.NEGATIVE_INFINITY, id: "t9999" };
        const inOrder =
          item.score > next.score || (item.score === next.score && place(item.id) < place(next.id));
        expect(inOrder).toBe(true);
      }
    }),
  );
});

test("a limit cuts the list and changes nothing else", () => {
  fc.assert(
    fc.property(request, (one) => {
      const whole = rankCandidates({ ...one, limit: undefined });
      expect(rankCandidates(one)).toEqual(whole.slice(0, one.limit ?? whole.length));
    }),
  );
});

test("it is what sorting the candidates by the formula gives", () => {
  fc.assert(
    fc.property(request, (one) => {
      const naive = one.candidates
        .map(({ id }, i) => ({ id, i, score: formula(one.model, one.probabilities.slice(i * 3, i * 3 + 3)) }))
        .sort((a, b) => b.score - a.score || a.i - b.i)
        .map(({ id, score }) => ({ id, score }));
      const ranked = rankCandidates({ ...one, limit: undefined }).map(({ id, score }) => ({ id, score }));
      expect(ranked).toEqual(naive);
    }),
  );
});

test("the fallback is the order of the request, cut at the limit, with score 0", () => {
  fc.assert(
    fc.property(request, ({ candidates, limit }) => {
      expect(incomingOrder(candidates, limit)).toEqual(
        candidates.slice(0, limit).map(({ id }, i) => ({ id, position: i + 1, score: 0, tasks: {} })),
      );
    }),
  );
});

/** The value model as docs/model-manifest.md words it, written down without a thought for speed. */
function formula({ valueModel, tasks: names }: Model, row: Float32Array): number {
  let sum = 0;
  for (const [i, name] of names.entries()) {
    const weight = valueModel.weights[name] ?? 0;
    if (weight === 0) continue;
    const worst = weight > 0 ? 0 : 1;
    const p = Number.isFinite(row[i]) ? (row[i] ?? worst) : worst;
    const power = valueModel.powers?.[name] ?? 1;
    const summand = power === 1 ? p : Math.min(1, Math.max(0, p)) ** power;
    sum += weight * (valueModel.kind === "weighted-sum" ? summand : Math.log(Math.min(1, Math.max(1e-9, p))));
  }
  return Math.min(valueModel.kind === "weighted-sum" ? sum : Math.exp(sum), Number.MAX_VALUE);
}

function place(id: string): number {
  return Number(id.slice(1));
}
