import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alwaysValidBound } from "../../src/statistics/always-valid.ts";
import { benjaminiHochberg } from "../../src/statistics/benjamini-hochberg.ts";
import { covariateBalance } from "../../src/statistics/covariate-balance.ts";
import { exposureLoss } from "../../src/statistics/exposure-loss.ts";
import { crossings, sequentialBounds } from "../../src/statistics/group-sequential.ts";
import { holm } from "../../src/statistics/holm.ts";
import {
  alwaysValidSign,
  noInterleavingSums,
  preferenceTest,
  signTest,
} from "../../src/statistics/interleaving.ts";
import { jointMomentsOf, mergeJointMoments, noJointMoments } from "../../src/statistics/joint-moments.ts";
import { minimumUnits } from "../../src/statistics/minimum-units.ts";
import { crossMomentsOf } from "../../src/statistics/moments.ts";
import { notWorse } from "../../src/statistics/not-worse.ts";
import { offPolicy } from "../../src/statistics/off-policy.ts";
import { dilutedEffect } from "../../src/statistics/trigger-dilution.ts";
import { uniformity } from "../../src/statistics/uniformity.ts";
import { mergeOffPolicySums, noOffPolicySums, offPolicySumsOf } from "../support/logged-decisions.ts";
import { skewedMomentsOf } from "../support/skewed-moments.ts";
import { interleavingSums, mergeInterleavingSums } from "../support/unit-credits.ts";

const value = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1_000);
const probability = fc.double({ min: 0, max: 1, noNaN: true });

/** Whatever a log can hold, up to what leaves the range of doubles when it is squared. */
const wild = fc.oneof(
  value,
  fc.constantFrom(0, 1, -1, 1e-200, 1e150, -1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY),
);

const parts = <T>(one: fc.Arbitrary<T>) =>
  fc.array(one, { maxLength: 40 }).chain((all) =>
    fc.record({
      all: fc.constant(all),
      shuffled: fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      cut: fc.nat({ max: all.length }),
    }),
  );

/** Every number in a result, however deep. */
function numbersIn(result: unknown): number[] {
  if (typeof result === "number") return [result];
  return typeof result === "object" && result !== null ? Object.values(result).flatMap(numbersIn) : [];
}

function expectSame(got: unknown, wanted: unknown, scale: number): void {
  const [ours, theirs] = [numbersIn(got), numbersIn(wanted)];
  expect(ours.length).toBe(theirs.length);
  for (const [i, number] of ours.entries()) {
    expect(Math.abs(number - (theirs[i] as number))).toBeLessThanOrEqual(1e-9 * scale);
  }
}

function expectNoNaN(result: unknown): void {
  expect(numbersIn(result).some(Number.isNaN), JSON.stringify(result)).toBe(false);
}

const credit = fc
  .record({
    first: fc.nat({ max: 5 }),
    second: fc.nat({ max: 5 }),
    competitive: fc.nat({ max: 4 }),
    more: fc.nat({ max: 4 }),
  })
  .map(({ more, ...unit }) => ({ ...unit, slots: unit.competitive + more }));

const decision = fc.record({
  propensity: fc.double({ min: 0.05, max: 1, noNaN: true }),
  target: probability,
  reward: value,
  unsupported: fc.constant(0),
  model: fc.record({ logged: value, target: value }),
});

describe("parts add up to the whole, in any order", () => {
  test("several variables", () => {
    fc.assert(
      fc.property(parts(fc.tuple(value, value, value)), ({ all, shuffled, cut }) => {
        const of = (rows: readonly (readonly number[])[]) => jointMomentsOf(rows, 3);
        const merged = [noJointMoments(3), of(shuffled.slice(0, cut)), of(shuffled.slice(cut))];
        expectSame(merged.reduce(mergeJointMoments), of(all), 1e8);
      }),
    );
  });

  test("interleaving credit", () => {
    fc.assert(
      fc.property(parts(credit), ({ all, shuffled, cut }) => {
        const merged = [
          noInterleavingSums,
          interleavingSums(shuffled.slice(0, cut)),
          interleavingSums(shuffled.slice(cut)),
        ];
        expectSame(merged.reduce(mergeInterleavingSums), interleavingSums(all), 1);
      }),
    );
  });

  test("off-policy sums of units", () => {
    fc.assert(
      fc.property(parts(fc.array(decision, { minLength: 1, maxLength: 4 })), ({ all, shuffled, cut }) => {
        const of = (units: typeof all) =>
          units.map(offPolicySumsOf).reduce(mergeOffPolicySums, noOffPolicySums);
        const merged = mergeOffPolicySums(of(shuffled.slice(0, cut)), of(shuffled.slice(cut)));
        expectSame(merged, of(all), 1e11);
      }),
    );
  });
});

describe("what must not matter does not", () => {
  test("naming the rankers the other way round turns the sign and leaves p", () => {
    fc.assert(
      fc.property(fc.array(credit, { maxLength: 40 }), (units) => {
        const forth = interleavingSums(units);
        const back = interleavingSums(
          units.map((unit) => ({ ...unit, first: unit.second, second: unit.first })),
        );
        const [one, other] = [signTest(forth), signTest(back)];
        expect(one.ok).toBe(other.ok);
        expect(one.ok ? one.value.pValue : one.reason).toBe(other.ok ? other.value.pValue : other.reason);
        const [here, there] = [alwaysValidSign(forth, 0.05), alwaysValidSign(back, 0.05)];
        expectSame(here.ok ? here.value.low : 0, there.ok ? 1 - there.value.high : 0, 1);
      }),
    );
  });

  test("the scale of covariates does not change their joint test", () => {
    const rows = fc.array(fc.tuple(value, value), { minLength: 5, maxLength: 30 });
    fc.assert(
      fc.property(rows, rows, fc.constantFrom(1e-6, 0.1, 7, 1e6), (treated, control, scale) => {
        const of = (all: [number, number][], by: number) =>
          jointMomentsOf(
            all.map(([x, y]) => [x * by, y]),
            2,
          );
        const plain = covariateBalance(of(treated, 1), of(control, 1));
        const scaled = covariateBalance(of(treated, scale), of(control, scale));
        expect(plain.ok).toBe(scaled.ok);
        expectSame(plain.ok ? plain.value.pValue : 0, scaled.ok ? scaled.value.pValue : 0, 1_000);
      }),
    );
  });

  test("Benjamini-Hochberg: never below p, never above Holm, in the order of p", () => {
    fc.assert(
      fc.property(fc.array(probability, { maxLength: 20 }), (pValues) => {
        const [adjusted, strict] = [benjaminiHochberg(pValues), holm(pValues)];
        for (const [i, p] of pValues.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual((strict[i] as number) * (1 + 1e-12));
        }
      }),
    );
  });

  test("one-sided always-valid: p is below alpha exactly where the bound passes", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -8, max: 8, noNaN: true }),
        fc.integer({ min: 2, max: 1_000_000 }),
        fc.constantFrom(0.01, 0.05, 0.2),
        fc.constantFrom("above" as const, "below" as const),
        (estimate, units, alpha, side) => {
          const tested = alwaysValidBound({ estimate, standardError: 1 }, units, { side, than: 0, alpha });
          if (!tested.ok) throw new Error(tested.reason);
          const { bound, pValue } = tested.value;
          const passes = side === "above" ? bound : -bound;
          // On the edge itself rounding decides.
          fc.pre(Math.abs(passes) > 1e-9);
          expect(pValue < alpha).toBe(passes > 0);
        },
      ),
    );
  });

  test("group-sequential: any looks spend what they may and no more", () => {
    const looks = fc
      .uniqueArray(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 6 })
      .map((all) => all.toSorted((a, b) => a - b).map((n) => n / 20));
    fc.assert(
      fc.property(
        looks,
        fc.constantFrom(1 as const, 2 as const),
        fc.constantFrom("obrien-fleming" as const, "pocock" as const),
        (fractions, sides, spending) => {
          const design = sequentialBounds({ alpha: 0.05, sides, spending }, fractions);
          if (!design.ok) throw new Error(design.reason);
          const { above, below } = crossings(design.value, 0);
          const sum = [...above, ...below].reduce((total, p) => total + p, 0);
          expect(Math.abs(sum - (design.value.spent.at(-1) as number))).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 20 },
    );
  });
});

test("no NaN, whatever comes in", () => {
  const estimate = fc.record({ units: fc.nat({ max: 9 }), value: wild, variance: wild.map(Math.abs) });
  const rows = fc.array(fc.tuple(wild, wild), { maxLength: 6 });
  const counts = fc.record({ assigned: fc.nat({ max: 90 }), lost: fc.nat({ max: 9 }) });
  const logged = fc.record({
    propensity: probability,
    target: probability,
    reward: wild,
    unsupported: probability,
  });
  fc.assert(
    fc.property(
      estimate.filter(({ units }) => units > 1),
      estimate.filter(({ units }) => units > 1),
      fc.constantFrom("fixed" as const, "always-valid" as const),
      fc.constantFrom("absolute" as const, "relative" as const),
      (treated, control, horizon, kind) => {
        expectNoNaN(
          notWorse(
            treated,
            control,
            { goal: "increase", kind, size: 0.1 },
            { alpha: 0.05, horizon, tunedUnits: 99 },
          ),
        );
      },
    ),
  );
  fc.assert(
    fc.property(rows, rows, rows, rows, (a, b, c, d) => {
      const [treated, others, control, rest] = [a, b, c, d].map(crossMomentsOf) as [
        ReturnType<typeof crossMomentsOf>,
        ReturnType<typeof crossMomentsOf>,
        ReturnType<typeof crossMomentsOf>,
        ReturnType<typeof crossMomentsOf>,
      ];
      expectNoNaN(dilutedEffect({ triggered: treated, others }, { triggered: control, others: rest }, 0.05));
      expectNoNaN(covariateBalance(jointMomentsOf(a, 2), jointMomentsOf(c, 2)));
      expectNoNaN(minimumUnits(skewedMomentsOf(a.map(([x]) => x))));
    }),
  );
  fc.assert(
    fc.property(
      fc.array(counts, { maxLength: 4 }),
      fc.array(fc.array(logged, { maxLength: 3 }), { maxLength: 5 }),
      (arms, units) => {
        expectNoNaN(
          exposureLoss(
            arms.map(({ assigned, lost }) => ({ assigned, exposed: Math.max(0, assigned - lost) })),
          ),
        );
        expectNoNaN(offPolicy(units.map(offPolicySumsOf).reduce(mergeOffPolicySums, noOffPolicySums), 1));
      },
    ),
  );
  fc.assert(
    fc.property(
      fc.array(credit, { maxLength: 6 }),
      fc.array(fc.option(probability, { nil: undefined }), { maxLength: 200 }),
      (units, pValues) => {
        const sums = interleavingSums(units);
        expectNoNaN([
          signTest(sums),
          preferenceTest(sums, 0.05),
          alwaysValidSign(sums, 0.05),
          uniformity(pValues),
        ]);
      },
    ),
  );
});
