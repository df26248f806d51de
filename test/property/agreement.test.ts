import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kendallTau } from "../../src/ranking/kendall.ts";
import { agreement } from "../../src/ranking/ranking.ts";
import references from "../support/statistics-references.json" with { type: "json" };

/** Few levels, so that ties are common, and whatever a value model may make of probabilities. */
const score = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-Number.MAX_VALUE, Number.MAX_VALUE, -0),
);
const rankings = fc
  .array(fc.tuple(score, score), { minLength: 1, maxLength: 60 })
  .map((pairs) => [Float64Array.from(pairs, ([one]) => one), Float64Array.from(pairs, ([, other]) => other)])
  .map(([one, other]) => ({ one: one as Float64Array, other: other as Float64Array }));

/** Tau-b as it is defined: pair by pair. */
function tauByPairs(one: Float64Array, other: Float64Array): number | undefined {
  let sum = 0;
  let ofOne = 0;
  let ofOther = 0;
  for (let i = 0; i < one.length; i++) {
    for (let j = 0; j < i; j++) {
      const a = Math.sign(Number(at(one, i) > at(one, j)) - Number(at(one, i) < at(one, j)));
      const b = Math.sign(Number(at(other, i) > at(other, j)) - Number(at(other, i) < at(other, j)));
      sum += a * b;
      ofOne += a * a;
      ofOther += b * b;
    }
  }
  return ofOne * ofOther === 0 ? undefined : sum / Math.sqrt(ofOne * ofOther);
}

const at = (scores: Float64Array, place: number): number => scores[place] as number;

/** Best first, ties by place: as an answer orders. */
function best(scores: Float64Array, k: number): number[] {
  return [...scores.keys()].sort((i, j) => at(scores, j) - at(scores, i) || i - j).slice(0, k);
}

describe("Kendall's tau", () => {
  test("is what counting every pair gives", () => {
    fc.assert(
      fc.property(rankings, ({ one, other }) => {
        const expected = tauByPairs(one, other);
        expect(kendallTau(one, other) ?? "none").toEqual(
          expected === undefined ? "none" : expect.closeTo(expected, 12),
        );
      }),
      { numRuns: 500 },
    );
  });

  test("is symmetric, turns round with an order, and leaves the scores as they were", () => {
    fc.assert(
      fc.property(rankings, ({ one, other }) => {
        const before = [one.slice(), other.slice()];
        const tau = kendallTau(one, other);
        expect(kendallTau(other, one)).toBe(tau);
        const turned = kendallTau(
          one.map((x) => -x),
          other,
        );
        expect(turned ?? "none").toEqual(tau === undefined ? "none" : expect.closeTo(-tau, 12));
        expect([one, other]).toEqual(before);
      }),
    );
  });

  test.each(references.kendall)("is SciPy's, $name", ({ one, other, tau }) => {
    expect(kendallTau(Float64Array.from(one), Float64Array.from(other))).toBeCloseTo(tau, 12);
  });

  test("of one thing, or of scores that are all alike, is none", () => {
    expect(kendallTau(Float64Array.of(1), Float64Array.of(2))).toBeUndefined();
    expect(kendallTau(Float64Array.of(1, 1, 1), Float64Array.of(1, 2, 3))).toBeUndefined();
  });
});

describe("two models' agreement", () => {
  test("overlaps by as much as their best k have in common", () => {
    fc.assert(
      fc.property(rankings, fc.integer({ min: 1, max: 80 }), ({ one, other }, k) => {
        const shared = best(one, k).filter((place) => best(other, k).includes(place)).length;
        expect(agreement(one, other, k).overlap).toBe(shared / Math.min(k, one.length));
      }),
    );
  });

  test("is whole with itself, however its scores tie", () => {
    fc.assert(
      fc.property(rankings, fc.integer({ min: 1, max: 80 }), ({ one }, k) => {
        const { tau, overlap, scoreDifference } = agreement(one, one.slice(), k);
        expect([tau ?? 1, overlap, scoreDifference]).toEqual([1, 1, 0]);
      }),
    );
  });

  test("is always of finite numbers within their bounds", () => {
    fc.assert(
      fc.property(rankings, ({ one, other }) => {
        const { tau = 0, overlap, scoreDifference } = agreement(one, other, 10);
        expect(Math.abs(tau)).toBeLessThanOrEqual(1);
        expect(overlap).toBeGreaterThanOrEqual(0);
        expect(overlap).toBeLessThanOrEqual(1);
        expect(Number.isFinite(scoreDifference)).toBe(true);
      }),
    );
  });

  test("has the scores' mean absolute difference", () => {
    const { scoreDifference } = agreement(Float64Array.of(1, 2, 3, 4), Float64Array.of(1.5, 2, 1, 4), 2);
    expect(scoreDifference).toBeCloseTo(0.625, 12);
  });
});
