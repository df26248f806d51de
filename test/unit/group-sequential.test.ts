/** Published tables of group-sequential designs, and what an experimenter relies on. */
import { describe, expect, test } from "vitest";
import { spentAlpha } from "../../src/statistics/alpha-spending.ts";
import type { Answer } from "../../src/statistics/estimate.ts";
import {
  crossings,
  driftForPower,
  repeatedInterval,
  type SequentialBounds,
  type SequentialPlan,
  sampleInflation,
  sequentialBounds,
  sequentialPower,
} from "../../src/statistics/group-sequential.ts";
import { stagewiseResult } from "../../src/statistics/stagewise.ts";

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

const equally = (looks: number) => Array.from({ length: looks }, (_, look) => (look + 1) / looks);
const twoSided: Omit<SequentialPlan, "spending"> = { alpha: 0.05, sides: 2 };
const plans: SequentialPlan[] = [
  { ...twoSided, spending: "obrien-fleming" },
  { ...twoSided, spending: "pocock" },
  { alpha: 0.025, sides: 1, spending: "obrien-fleming" },
  { alpha: 0.1, sides: 1, spending: "pocock" },
];

describe("published tables", () => {
  test.each([
    // Reboussin, DeMets, Kim, Lan, "Computations for Group Sequential Boundaries", Controlled Clinical Trials 21, 2000.
    [{ ...twoSided, spending: "obrien-fleming" }, 5, [4.877, 3.357, 2.68, 2.29, 2.031]],
    [{ ...twoSided, spending: "pocock" }, 5, [2.438, 2.427, 2.41, 2.397, 2.386]],
    // gsDesign's sfLDOF at its default alpha.
    [{ alpha: 0.025, sides: 1, spending: "obrien-fleming" }, 3, [3.7103, 2.5114, 1.993]],
  ] as const)("bounds of %o at %i looks", (plan, looks, published) => {
    const { bounds } = given(sequentialBounds(plan, equally(looks)));
    for (const [look, bound] of published.entries()) expect(bounds[look]).toBeCloseTo(bound, 3);
  });

  test.each([
    // Jennison, Turnbull 2000, tables 2.1, 2.2 (Pocock) and 2.3, 2.4 (O'Brien, Fleming): five looks, alpha 5 %.
    ["Pocock", () => 2.413, 1.229, 1.207],
    ["O'Brien-Fleming", (fraction: number) => 2.04 / Math.sqrt(fraction), 1.028, 1.026],
  ] as const)("%s's constant keeps 5 %, and its largest sample is as published", (_, bound, at80, at90) => {
    const fractions = equally(5);
    const design: SequentialBounds = {
      alpha: 0.05,
      sides: 2,
      fractions,
      bounds: fractions.map(bound),
      spent: [],
    };
    const { above, below } = crossings(design, 0);
    expect([...above, ...below].reduce((sum, p) => sum + p)).toBeCloseTo(0.05, 4);
    expect(Math.abs(sampleInflation(design, 0.8) - at80)).toBeLessThan(0.001);
    expect(Math.abs(sampleInflation(design, 0.9) - at90)).toBeLessThan(0.001);
  });
});

describe.each(plans)("%o", (plan) => {
  test("one look at the end is the test for one look", () => {
    const { bounds } = given(sequentialBounds(plan, [1]));
    const fixed = { 0.05: 1.9599639845400545, 0.025: 1.9599639845400545, 0.1: 1.2815515655446004 }[
      plan.alpha
    ];
    expect(bounds[0]).toBeCloseTo(fixed as number, 9);
  });

  test("without an effect, a bound is crossed with alpha in all, and at each look with what was spent", () => {
    const design = given(sequentialBounds(plan, [0.1, 0.35, 0.4, 0.9, 1]));
    const { above, below } = crossings(design, 0);
    let sum = 0;
    for (const [look, spent] of design.spent.entries()) {
      sum += (above[look] as number) + (below[look] as number);
      expect(sum).toBeCloseTo(spent, 9);
    }
    expect(sum).toBeCloseTo(plan.alpha, 9);
  });

  test("a later look does not change the bounds of earlier ones", () => {
    const early = given(sequentialBounds(plan, [0.2, 0.5]));
    const late = given(sequentialBounds(plan, [0.2, 0.5, 0.55, 1]));
    for (const [look, bound] of early.bounds.entries()) expect(late.bounds[look]).toBeCloseTo(bound, 8);
  });

  test("the planned power is met by the drift that it asks for, and looks cost sample at most", () => {
    const design = given(sequentialBounds(plan, equally(4)));
    const drift = driftForPower(design, 0.8);
    expect(sequentialPower(design, drift)).toBeCloseTo(0.8, 9);
    expect(sampleInflation(design, 0.8)).toBeGreaterThan(1);
  });

  test("an experiment that ends early or late still spends all of alpha", () => {
    for (const fractions of [
      [0.3, 0.6],
      [0.5, 1.4],
    ]) {
      const design = given(sequentialBounds(plan, fractions, true));
      expect(design.spent.at(-1)).toBeCloseTo(plan.alpha, 12);
    }
  });

  test("p is at most alpha, and the intervals leave zero out, exactly where the bound is crossed", () => {
    const design = given(sequentialBounds(plan, [0.3, 0.6, 1]));
    const last = design.bounds.at(-1) as number;
    for (const [statistic, isCrossed] of [
      [last + 1e-3, true],
      [last - 1e-3, false],
      [last + 2, true],
      [0, false],
    ] as const) {
      const seen = { estimate: statistic * 0.1, standardError: 0.1 };
      const { pValue, ciLow } = given(stagewiseResult(design, seen));
      expect(pValue <= plan.alpha).toBe(isCrossed);
      expect(ciLow > 0).toBe(isCrossed);
      expect(given(repeatedInterval(design, 2, seen)).ciLow > 0).toBe(isCrossed);
    }
  });

  test("an estimate at an early stop is drawn towards zero", () => {
    const stopped = given(sequentialBounds(plan, [0.3, 0.6]));
    const seen = { estimate: 0.4, standardError: 0.1 };
    const { estimate } = given(stagewiseResult(stopped, seen));
    expect(estimate).toBeLessThan(0.4);
    expect(estimate).toBeGreaterThan(0.2);
  });
});

test("the two spending functions meet at the end and differ in between", () => {
  for (const spending of ["obrien-fleming", "pocock"] as const) {
    expect(spentAlpha(spending, 0, 0.05)).toBe(0);
    expect(spentAlpha(spending, 1, 0.05)).toBe(0.05);
    expect(spentAlpha(spending, 1.3, 0.05)).toBe(0.05);
  }
  expect(spentAlpha("obrien-fleming", 0.5, 0.05)).toBeLessThan(spentAlpha("pocock", 0.5, 0.05) / 4);
});

test("looks that cannot be are refused, and a look that has nothing to spend has a bound that nothing reaches", () => {
  const plan = plans[0] as SequentialPlan;
  expect(sequentialBounds(plan, [])).toEqual({ ok: false, reason: "no-looks" });
  for (const fractions of [
    [0.5, 0.5],
    [0.5, 0.2],
    [0],
    [-1, 1],
    [Number.NaN],
    [0.1, Number.POSITIVE_INFINITY],
  ]) {
    expect(sequentialBounds(plan, fractions)).toEqual({ ok: false, reason: "looks-out-of-order" });
  }
  expect(sequentialBounds(plan, [0.5, 0.500001])).toEqual({ ok: false, reason: "looks-too-close" });
  expect(given(sequentialBounds(plan, [1e-4, 1])).bounds[0]).toBe(20);
  expect(given(sequentialBounds(plan, [1, 1.2])).bounds[1]).toBe(20);
  const design = given(sequentialBounds(plan, [1]));
  const flat = { estimate: 1, standardError: 0 };
  expect(repeatedInterval(design, 0, flat)).toEqual({ ok: false, reason: "no-variance" });
  expect(repeatedInterval(design, 3, flat)).toEqual({ ok: false, reason: "no-looks" });
  expect(stagewiseResult(design, flat)).toEqual({ ok: false, reason: "no-variance" });
});
