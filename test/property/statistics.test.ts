import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alwaysValid } from "../../src/statistics/always-valid.ts";
import { cuped } from "../../src/statistics/cuped.ts";
import { type Estimate, estimateOfMean, estimateOfRatio } from "../../src/statistics/estimate.ts";
import { holm } from "../../src/statistics/holm.ts";
import {
  crossMomentsOf,
  mergeCrossMoments,
  mergeMoments,
  momentsOf,
  noCrossMoments,
  noMoments,
} from "../../src/statistics/moments.ts";
import { sampleRatio } from "../../src/statistics/sample-ratio.ts";
import { difference, relativeLift } from "../../src/statistics/welch.ts";
import { partsOf, splitting, value } from "../support/split-values.ts";

const spread = fc.array(value, { minLength: 2, maxLength: 40 }).filter((values) => new Set(values).size > 1);
const pairs = fc.array(fc.tuple(value, value), { maxLength: 60 });

function estimateFrom(values: readonly number[]): Estimate {
  const estimate = estimateOfMean(momentsOf(values));
  if (!estimate.ok) throw new Error(`no estimate: ${estimate.reason}`);
  return estimate.value;
}

function differenceOf(treated: readonly number[], control: readonly number[], alpha = 0.05) {
  const tested = difference(estimateFrom(treated), estimateFrom(control), alpha);
  if (!tested.ok) throw new Error(`no difference: ${tested.reason}`);
  return tested.value;
}

function expectClose(got: number, wanted: number, scale = Math.abs(wanted)): void {
  expect(Math.abs(got - wanted), `${got} against ${wanted}`).toBeLessThanOrEqual(
    1e-9 * Math.max(scale, 1e-12),
  );
}

describe("sufficient statistics add up", () => {
  test("one variable: any split, in any order, is the whole", () => {
    fc.assert(
      fc.property(splitting(fc.array(value, { maxLength: 60 })), ({ all, shuffled, cuts }) => {
        const whole = momentsOf(all);
        const merged = partsOf(shuffled, cuts).map(momentsOf).reduce(mergeMoments, noMoments);
        expect(merged.count).toBe(all.length);
        expectClose(merged.mean, whole.mean, 1_000);
        expectClose(merged.m2, whole.m2, 1_000_000);
      }),
    );
  });

  test("two variables: any split, in any order, is the whole", () => {
    fc.assert(
      fc.property(splitting(pairs), ({ all, shuffled, cuts }) => {
        const whole = crossMomentsOf(all);
        const merged = partsOf(shuffled, cuts).map(crossMomentsOf).reduce(mergeCrossMoments, noCrossMoments);
        expect(merged.count).toBe(all.length);
        expectClose(merged.meanX, whole.meanX, 1_000);
        expectClose(merged.meanY, whole.meanY, 1_000);
        for (const key of ["m2X", "m2Y", "cXY"] as const) expectClose(merged[key], whole[key], 1_000_000);
      }),
    );
  });

  test("a mean of 1e9 leaves a spread of 1 its digits, where a sum of squares would leave none", () => {
    const small = [1, 2, 4, 7];
    const shifted = small.map((x) => x + 1e9);
    expect(momentsOf(shifted).m2).toBeCloseTo(momentsOf(small).m2, 5);
    const halves = mergeMoments(momentsOf(shifted.slice(0, 2)), momentsOf(shifted.slice(2)));
    expect(halves.m2).toBeCloseTo(momentsOf(small).m2, 5);
  });
});

describe("Welch", () => {
  test("swapping the arms turns the sign and nothing else", () => {
    fc.assert(
      fc.property(spread, spread, (a, b) => {
        const forth = differenceOf(a, b);
        const back = differenceOf(b, a);
        expect(back.estimate).toBe(-forth.estimate);
        expect(back.ciLow).toBe(-forth.ciHigh);
        expect(back.ciHigh).toBe(-forth.ciLow);
        expect(back.pValue).toBe(forth.pValue);
      }),
    );
  });

  test("a constant added to every value changes nothing", () => {
    fc.assert(
      fc.property(spread, spread, fc.integer({ min: -1_000, max: 1_000 }), (a, b, shift) => {
        const before = differenceOf(a, b);
        const after = differenceOf(
          a.map((x) => x + shift),
          b.map((x) => x + shift),
        );
        expectClose(after.estimate, before.estimate, 1_000);
        expectClose(after.degreesOfFreedom, before.degreesOfFreedom, 1e3 * before.degreesOfFreedom);
        expect(after.pValue).toBeCloseTo(before.pValue, 6);
      }),
    );
  });

  test("another unit of measurement scales the difference, not the p-value and not the lift", () => {
    fc.assert(
      fc.property(spread, spread, fc.constantFrom(0.001, 3, 1e6), (a, b, scale) => {
        const before = differenceOf(a, b);
        const [scaledA, scaledB] = [a.map((x) => x * scale), b.map((x) => x * scale)];
        const after = differenceOf(scaledA, scaledB);
        expectClose(after.estimate, before.estimate * scale, 1_000 * scale);
        expect(after.pValue).toBeCloseTo(before.pValue, 6);
        const [lift, scaledLift] = [
          relativeLift(estimateFrom(a), estimateFrom(b), 0.05),
          relativeLift(estimateFrom(scaledA), estimateFrom(scaledB), 0.05),
        ];
        fc.pre(lift.ok && scaledLift.ok && Math.abs(estimateFrom(b).value) > 1e-3);
        // A mean close to zero makes a lift of thousands, whose last digits are the sums' rounding.
        expectClose(liftOf(scaledLift), liftOf(lift), 1e3 * (1 + Math.abs(liftOf(lift))));
      }),
    );
  });

  test("the p-value is below alpha exactly where the interval leaves zero out", () => {
    fc.assert(
      fc.property(spread, spread, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (a, b, alpha) => {
        const { pValue, ciLow, ciHigh } = differenceOf(a, b, alpha);
        fc.pre(Math.abs(pValue - alpha) > 1e-9);
        expect(pValue < alpha).toBe(ciLow > 0 || ciHigh < 0);
      }),
    );
  });

  test("the same for the always-valid interval, which holds the one for one look inside", () => {
    fc.assert(
      fc.property(spread, spread, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (a, b, alpha) => {
        const once = difference(estimateFrom(a), estimateFrom(b), alpha);
        fc.pre(once.ok && once.value.degreesOfFreedom > 3);
        const tested = differenceOf(a, b, alpha);
        const always = alwaysValid(tested, a.length + b.length, alpha);
        fc.pre(Math.abs(always.pValue - alpha) > 1e-9);
        expect(always.pValue < alpha).toBe(always.ciLow > 0 || always.ciHigh < 0);
        expect(always.ciLow).toBeLessThan(tested.ciLow);
        expect(always.ciHigh).toBeGreaterThan(tested.ciHigh);
      }),
    );
  });
});

function liftOf(lift: ReturnType<typeof relativeLift>): number {
  return lift.ok ? lift.value.estimate : Number.NaN;
}

describe("Holm", () => {
  const family = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

  test("never lowers a p-value, never exceeds Bonferroni's, and keeps their order", () => {
    fc.assert(
      fc.property(family, (pValues) => {
        const adjusted = holm(pValues);
        const sorted = pValues
          .map((p, i) => [p, adjusted[i] ?? Number.NaN] as const)
          .sort(([a], [b]) => a - b);
        for (const [raw, value] of sorted) {
          expect(value).toBeGreaterThanOrEqual(raw);
          expect(value).toBeLessThanOrEqual(Math.min(1, raw * pValues.length));
        }
        const inOrder = sorted.map(([, value]) => value);
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("sample ratio", () => {
  const arms = fc.array(fc.record({ units: fc.nat(10_000), weight: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 2,
    maxLength: 5,
  });

  test("depends neither on the scale of the weights nor on arms that promise nothing", () => {
    fc.assert(
      fc.property(arms, fc.integer({ min: 2, max: 50 }), (cells, scale) => {
        const units = cells.map((cell) => cell.units);
        const weights = cells.map((cell) => cell.weight);
        fc.pre(units.some((n) => n > 0));
        const plain = sampleRatio(units, weights);
        const scaled = sampleRatio(
          units,
          weights.map((weight) => weight * scale),
        );
        const widened = sampleRatio([...units, 3], [...weights, 0]);
        expect(scaled.pValue).toBeCloseTo(plain.pValue ?? Number.NaN, 9);
        expect(widened.pValue).toBe(plain.pValue);
        expect(widened.expected.at(-1)).toBe(0);
      }),
    );
  });
});

describe("whatever comes in, no number that comes out is NaN", () => {
  const wild = fc.array(fc.constantFrom(0, 0, 1, 0.1, 0.3, -5, 1e-300, 1e150, -1e150, 1e200), {
    maxLength: 8,
  });
  const alpha = fc.constantFrom(0.05, 1e-9, 0.999);

  test("means, differences, lifts and always-valid intervals", () => {
    fc.assert(
      fc.property(wild, wild, alpha, (a, b, level) => {
        const treated = estimateOfMean(momentsOf(a));
        const control = estimateOfMean(momentsOf(b));
        fc.pre(treated.ok && control.ok);
        const tested = difference(treated.value, control.value, level);
        const lift = relativeLift(treated.value, control.value, level);
        const always = tested.ok ? alwaysValid(tested.value, a.length + b.length, level) : {};
        expect(unreadable({ treated, control, tested, lift, always })).toEqual([]);
      }),
    );
  });

  test("ratios and CUPED", () => {
    fc.assert(
      fc.property(wild, wild, (a, b) => {
        const both = crossMomentsOf(a.map((x, i): [number, number] => [x, b[i] ?? 0]));
        expect(unreadable({ ratio: estimateOfRatio(both), adjusted: cuped([both, both]) })).toEqual([]);
      }),
    );
  });
});

/** Paths of the numbers in `value` that are NaN or infinite. */
function unreadable(value: unknown, path = ""): string[] {
  if (typeof value === "number") return Number.isFinite(value) ? [] : [`${path} = ${value}`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => unreadable(inner, `${path}.${key}`));
}
