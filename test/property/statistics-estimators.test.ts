import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adjustedArms } from "../../src/statistics/adjusted.ts";
import { type Answer, type Estimate, estimateOfMean } from "../../src/statistics/estimate.ts";
import { fieller } from "../../src/statistics/fieller.ts";
import { heterogeneity, trend, trendWithinUnits } from "../../src/statistics/heterogeneity.ts";
import {
  type JointMoments,
  jointMomentsOf,
  mergeJointMoments,
  momentsOfCombination,
  noJointMoments,
} from "../../src/statistics/joint-moments.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import { postStratified, unitDenominator } from "../../src/statistics/post-stratification.ts";
import { power } from "../../src/statistics/power.ts";
import type { Baseline, Plan } from "../../src/statistics/power-plan.ts";
import { proportion, proportionDifference, proportionStatistic } from "../../src/statistics/proportions.ts";
import { estimateOfQuantile } from "../../src/statistics/quantile.ts";
import { days, detectableEffect, provableMargin, sampleSize } from "../../src/statistics/sample-size.ts";
import { bucketEdges, bucketOf } from "../../src/statistics/value-buckets.ts";
import { difference } from "../../src/statistics/welch.ts";
import { withMissing } from "../support/covariate-row.ts";
import { baselineOf, baselineOfProportion, plainPlan } from "../support/power-plans.ts";
import { partsOf, splitting, value } from "../support/split-values.ts";
import { mergeQuantileSums, noQuantileSums, quantileSumsOf } from "../support/unit-events.ts";
import { bucketedMomentsOf, mergeBucketedMoments, pooledCap, winsorised } from "../support/winsorised.ts";

const variables = 4;
const row = fc.tuple(value, value, value, value);
const rows = fc.array(row, { maxLength: 50 });
const unitEvents = fc.array(
  fc.integer({ min: -500, max: 100_000 }).map((n) => n / 10),
  { maxLength: 12 },
);

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

function expectClose(got: number, wanted: number, scale: number): void {
  expect(Math.abs(got - wanted), `${got} against ${wanted}`).toBeLessThanOrEqual(1e-9 * scale);
}

function expectSame(got: JointMoments, wanted: JointMoments): void {
  expect(got.count).toBe(wanted.count);
  for (const [i, mean] of got.means.entries()) expectClose(mean, wanted.means[i] ?? Number.NaN, 1_000);
  for (const [i, product] of got.products.flat().entries()) {
    expectClose(product, wanted.products.flat()[i] ?? Number.NaN, 1e8);
  }
}

describe("sufficient statistics add up: any split, in any order, is the whole", () => {
  test("joint moments", () => {
    fc.assert(
      fc.property(splitting(rows), ({ all, shuffled, cuts }) => {
        const parts = partsOf(shuffled, cuts).map((part) => jointMomentsOf(part, variables));
        expectSame(
          parts.reduce(mergeJointMoments, noJointMoments(variables)),
          jointMomentsOf(all, variables),
        );
      }),
    );
  });

  test("moments by bucket, and so what is winsorised", () => {
    fc.assert(
      fc.property(
        splitting(rows),
        fc.constantFrom(0.5, 0.9, 0.99, 1),
        ({ all, shuffled, cuts }, quantile) => {
          fc.pre(all.length > 0);
          const parts = partsOf(shuffled, cuts).map((part) => bucketedMomentsOf(part, variables));
          const merged = parts.reduce(mergeBucketedMoments, []);
          const whole = bucketedMomentsOf(all, variables);
          const cap = given(pooledCap([whole], quantile));
          expect(given(pooledCap(parts, quantile))).toBe(cap);
          expectSame(winsorised(merged, cap), winsorised(whole, cap));
        },
      ),
    );
  });

  test("the sums behind a quantile, to the last digit", () => {
    fc.assert(
      fc.property(splitting(fc.array(unitEvents, { maxLength: 30 })), ({ all, shuffled, cuts }) => {
        const parts = partsOf(shuffled, cuts).map(quantileSumsOf);
        expect(parts.reduce(mergeQuantileSums, noQuantileSums)).toEqual(quantileSumsOf(all));
      }),
    );
  });
});

test("a combination of variables has the moments of the units' combined values", () => {
  fc.assert(
    fc.property(rows, row, (units, weights) => {
      const values = units.map((unit) => unit.reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0));
      const combined = momentsOfCombination(jointMomentsOf(units, variables), weights);
      expectClose(combined.mean, momentsOf(values).mean, 1e7);
      expectClose(combined.m2, momentsOf(values).m2, 1e15);
    }),
  );
});

describe("buckets", () => {
  test("hold their values between edges that are 1 % apart, in the order of the values", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), value, (one, other) => {
        const [low, high] = bucketEdges(bucketOf(one));
        const slack = 1e-12 + 1e-12 * Math.abs(one);
        expect(low).toBeLessThanOrEqual(one + slack);
        expect(high).toBeGreaterThanOrEqual(one - slack);
        expect(high - low).toBeLessThanOrEqual(0.01 * Math.abs(one) + slack);
        expect(Math.sign(bucketOf(one) - bucketOf(other)) * Math.sign(one - other)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("winsorised", () => {
  test("is what every unit's value, capped, would have given", () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(0.5, 0.9), (units, quantile) => {
        fc.pre(units.length > 0);
        const bucketed = bucketedMomentsOf(units, variables);
        const cap = given(pooledCap([bucketed], quantile));
        // A value within rounding of the cap counts as the cap's bucket.
        const capped = units.map(([y, ...rest]) => [Math.min(y, cap), ...rest]);
        expectSame(winsorised(bucketed, cap), jointMomentsOf(capped, variables));
      }),
    );
  });
});

const arm = fc.array(fc.tuple(value, fc.integer({ min: 1, max: 50 }), value, value), {
  minLength: 8,
  maxLength: 40,
});

describe("adjustment by covariates", () => {
  const outcome = { numerator: 0, denominator: 1, covariates: [2, 3] };
  const adjust = (arms: readonly (readonly (readonly number[])[])[]) =>
    adjustedArms(
      arms.map((units) => jointMomentsOf(units, 4)),
      outcome,
    );

  test("another unit of measurement, or another zero, of a covariate changes no estimate", () => {
    fc.assert(
      fc.property(
        arm,
        arm,
        fc.constantFrom(0.001, 7, 1e5),
        fc.integer({ min: -100, max: 100 }),
        (a, b, scale, shift) => {
          const plain = adjust([a, b]);
          fc.pre(plain.ok);
          const moved = adjust(
            [a, b].map((units) => units.map(([y, x, one, two]) => [y, x, one * scale + shift, two])),
          );
          for (const [i, estimate] of given(moved).arms.entries()) {
            const before = given(plain).arms[i] as Estimate;
            expect(Math.abs(estimate.value - before.value)).toBeLessThan(1e-6 * (1 + Math.abs(before.value)));
            expect(Math.abs(estimate.variance - before.variance)).toBeLessThan(1e-6 * (1 + before.variance));
          }
        },
      ),
    );
  });

  test("one that is there twice, or the same for every unit, is left out", () => {
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const single = adjustedArms(
          [a, b].map((units) => jointMomentsOf(units, 4)),
          { numerator: 0, covariates: [2] },
        );
        fc.pre(single.ok && single.value.varianceReduction < 0.999);
        const thrice = adjustedArms(
          [a, b].map((units) =>
            jointMomentsOf(
              units.map(([y, x, past]) => [y, x, past, 3 * past, 5]),
              5,
            ),
          ),
          { numerator: 0, covariates: [2, 3, 4] },
        );
        expect(given(thrice).thetas.slice(1)).toEqual([0, 0]);
        expect(given(thrice).arms[0]?.value).toBeCloseTo(given(single).arms[0]?.value ?? Number.NaN, 9);
      }),
    );
  });

  test("what stands for a missing past makes no difference", () => {
    fc.assert(
      fc.property(arm, arm, value, (a, b, filler) => {
        const filled = (instead: number) =>
          [a, b].map((units) =>
            jointMomentsOf(
              units.map(([y, x, past], i) => [y, x, i % 3 === 0 ? instead : past, i % 3 === 0 ? 1 : 0]),
              4,
            ),
          );
        const zero = adjustedArms(filled(0), outcome);
        fc.pre(zero.ok && zero.value.thetas.every((theta) => theta !== 0));
        const other = given(adjustedArms(filled(filler), outcome));
        for (const [i, estimate] of other.arms.entries()) {
          const before = given(zero).arms[i] as Estimate;
          expect(Math.abs(estimate.value - before.value)).toBeLessThan(1e-5 * (1 + Math.abs(before.value)));
        }
      }),
    );
    expect(withMissing(undefined, 2)).toEqual([0, 0, 1]);
    expect(withMissing([3, 4], 2)).toEqual([3, 4, 0]);
  });
});

describe("Fieller's set", () => {
  const estimate = fc.record({
    units: fc.integer({ min: 5, max: 1_000 }),
    value: value.filter((x) => x !== 0),
    variance: fc.integer({ min: 1, max: 1_000_000 }).map((n) => n / 1_000),
  });

  test("is bounded exactly where control differs from zero, and leaves the lift 0 out exactly where Welch's test does", () => {
    fc.assert(
      fc.property(estimate, estimate, (treated, control) => {
        const set = given(fieller(treated, control, 0.05));
        const tested = given(difference(treated, control, 0.05));
        fc.pre(Math.abs(tested.pValue - 0.05) > 1e-9);
        const ends = set.kind === "everything" ? [Number.NaN, Number.NaN] : [set.ciLow, set.ciHigh];
        const between = (ends[0] ?? 0) < 0 && (ends[1] ?? 0) > 0;
        const holdsZero = { bounded: between, outside: !between, everything: true }[set.kind];
        expect(holdsZero).toBe(tested.pValue > 0.05);
        const half = (tested.ciHigh - tested.estimate) / tested.standardError;
        const gap = control.value ** 2 - half ** 2 * control.variance;
        fc.pre(Math.abs(gap) > 1e-6 * control.value ** 2);
        expect(set.kind === "bounded").toBe(gap > 0);
      }),
    );
  });

  test("another unit of measurement changes nothing", () => {
    fc.assert(
      fc.property(estimate, estimate, fc.constantFrom(1e-150, 1e-3, 1e100), (treated, control, scale) => {
        const scaled = [treated, control].map((one) => ({
          units: one.units,
          value: one.value * scale,
          variance: one.variance * scale * scale,
        })) as [Estimate, Estimate];
        const [plain, other] = [given(fieller(treated, control, 0.05)), given(fieller(...scaled, 0.05))];
        expect(other.kind).toBe(plain.kind);
        expect(other.estimate).toBeCloseTo(plain.estimate, 6);
      }),
    );
  });
});

describe("post-stratification", () => {
  const strata = fc.array(fc.array(value, { maxLength: 25 }), { minLength: 3, maxLength: 3 });

  test("never compares in a stratum in which an arm has fewer than ten units, and keeps every unit", () => {
    fc.assert(
      fc.property(strata, strata, (a, b) => {
        fc.pre(a.flat().length > 1 && b.flat().length > 1);
        const moments = [a, b].map((arms) => arms.map((units) => unitDenominator(momentsOf(units))));
        const got = postStratified(moments);
        fc.pre(got.ok);
        const small = a.filter((units, i) => {
          const other = b[i]?.length ?? 0;
          return units.length + other > 0 && Math.min(units.length, other) < 10;
        }).length;
        expect(got.value.merged).toBeGreaterThanOrEqual(small);
        expect(got.value.arms.map(({ units }) => units)).toEqual([a.flat().length, b.flat().length]);
      }),
    );
  });

  test("one stratum is no stratification", () => {
    fc.assert(
      fc.property(arm, arm, (a, b) => {
        const units = [a, b].map((rows) => rows.map(([y]) => y));
        const got = postStratified(units.map((values) => [unitDenominator(momentsOf(values))]));
        fc.pre(got.ok);
        for (const [i, values] of units.entries()) {
          const plain = given(estimateOfMean(momentsOf(values)));
          expectClose(got.value.arms[i]?.value ?? Number.NaN, plain.value, 1_000);
          expectClose(got.value.arms[i]?.variance ?? Number.NaN, plain.variance, 1e6);
        }
      }),
    );
  });
});

describe("segments", () => {
  const effect = fc.record({
    estimate: value,
    // Weights of 1 to 10,000: of more, what rounding does to the largest can be seen.
    standardError: fc.integer({ min: 1_000, max: 100_000 }).map((n) => n / 1_000),
    at: fc.integer({ min: 0, max: 30 }),
  });
  const segments = fc.array(effect, { minLength: 2, maxLength: 8 });

  test("the order of segments, the unit of measurement and a common effect change no p-value", () => {
    fc.assert(
      fc.property(segments, fc.constantFrom(1e-3, 50), value, (all, scale, shift) => {
        const moved = all.toReversed().map((one) => ({
          at: one.at,
          estimate: (one.estimate + shift) * scale,
          standardError: one.standardError * scale,
        }));
        // Near 1 a p-value moves with the root of what rounding does to the statistic.
        expect(given(heterogeneity(moved)).pValue).toBeCloseTo(given(heterogeneity(all)).pValue, 5);
        const plain = trend(all);
        fc.pre(plain.ok);
        expect(given(trend(moved)).pValue).toBeCloseTo(plain.value.pValue, 5);
      }),
    );
  });

  test("of two segments, each against the rest is the interaction test", () => {
    fc.assert(
      fc.property(effect, effect, (one, other) => {
        const got = given(heterogeneity([one, other]));
        for (const contrast of got.against) expect(contrast.pValue).toBeCloseTo(got.pValue, 9);
      }),
    );
  });
});

describe("shares", () => {
  const share = fc
    .integer({ min: 1, max: 400 })
    .chain((units) => fc.record({ units: fc.constant(units), events: fc.nat({ max: units }) }));

  test("the p-value is below alpha exactly where the score interval leaves zero out; swapping arms turns the sign", () => {
    fc.assert(
      fc.property(share, share, fc.constantFrom(0.01, 0.05, 0.2), (treated, control, alpha) => {
        const got = proportionDifference(treated, control, alpha);
        fc.pre(got.ok && Math.abs(got.value.pValue - alpha) > 1e-9);
        const { ciLow, ciHigh, pValue, estimate } = got.value;
        expect(pValue < alpha).toBe(ciLow > 0 || ciHigh < 0);
        expect(ciLow).toBeGreaterThanOrEqual(-1);
        expect(ciHigh).toBeLessThanOrEqual(1);
        expect(ciLow).toBeLessThanOrEqual(estimate);
        expect(ciHigh).toBeGreaterThanOrEqual(estimate);
        const back = given(proportionDifference(control, treated, alpha));
        expect(back.ciLow).toBeCloseTo(-ciHigh, 9);
        expect(back.ciHigh).toBeCloseTo(-ciLow, 9);
      }),
    );
  });

  test("the statistic falls as the difference held against rises", () => {
    fc.assert(
      fc.property(
        share,
        share,
        fc.integer({ min: -990_000, max: 980_000 }),
        (treated, control, millionths) => {
          const at = millionths / 1e6;
          const [low, high] = [at, at + 0.01].map((d) => proportionStatistic(treated, control, d));
          expect(high).toBeLessThanOrEqual((low as number) + 1e-6);
        },
      ),
    );
  });
});

describe("power", () => {
  const plan: fc.Arbitrary<Plan> = fc.record({
    alpha: fc.constantFrom(0.01, 0.05, 0.1),
    shares: fc.constantFrom(
      { control: 0.5, treated: 0.5 },
      { control: 0.9, treated: 0.1 },
      { control: 0.25, treated: 0.25 },
    ),
    comparisons: fc.integer({ min: 1, max: 6 }),
    goal: fc.constantFrom("higher" as const, "lower" as const),
    margin: fc.constantFrom(undefined, 0.2, 1),
    varianceReduction: fc.constantFrom(0, 0.5),
    triggerRate: fc.constantFrom(1, 0.2),
    analysed: fc.constantFrom("triggered" as const, "everybody" as const),
    monitoring: fc.constantFrom("fixed" as const, "always-valid" as const),
  });
  const baseline: Baseline = { value: 5, unitVariance: 9, spread: "constant" };

  test("a sample size has the power asked for, and one unit an arm less has not", () => {
    fc.assert(
      fc.property(plan, fc.constantFrom(0.3, 1), fc.constantFrom(0.8, 0.95), (design, size, wanted) => {
        const effect = design.goal === "higher" ? size : -size;
        const sample = given(sampleSize(design, baseline, effect, wanted));
        expect(given(power(design, baseline, effect, sample.units))).toBeGreaterThanOrEqual(wanted - 1e-9);
        const less = sample.units - 2 / Math.min(design.shares.control, design.shares.treated);
        fc.pre(less * design.shares.treated * design.triggerRate > 2);
        expect(given(power(design, baseline, effect, less))).toBeLessThan(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test("the detectable effect and the provable margin are found with the power asked for", () => {
    fc.assert(
      fc.property(plan, fc.integer({ min: 200, max: 50_000 }), (design, units) => {
        const found = given(detectableEffect(design, baseline, units, 0.8));
        expect(given(power(design, baseline, found, units))).toBeCloseTo(0.8, 6);
        const margin = given(provableMargin(design, baseline, 0, units, 0.8));
        expect(given(power({ ...design, margin }, baseline, 0, units))).toBeCloseTo(0.8, 6);
      }),
      { numRuns: 40 },
    );
  });

  test("an effect that multiplies every value is found with the power asked for, too", () => {
    const multiplied = { ...baseline, spread: "grows" } as const;
    fc.assert(
      fc.property(plan, fc.integer({ min: 2_000, max: 50_000 }), (design, units) => {
        const effect = given(detectableEffect(design, multiplied, units, 0.8));
        expect(given(power(design, multiplied, effect, units))).toBeCloseTo(0.8, 6);
      }),
      { numRuns: 40 },
    );
    // Of +10 %: variances of 1 and 1.21 instead of 1 and 1; of -10 %, 1 and 0.81.
    const units = (effect: number, known: Baseline) => given(sampleSize(plainPlan, known, effect, 0.8)).units;
    expect(units(0.5, multiplied) / units(0.5, baseline)).toBeCloseTo(2.21 / 2, 2);
    expect(units(-0.5, multiplied) / units(-0.5, baseline)).toBeCloseTo(1.81 / 2, 2);
  });

  test("half the variance is worth twice the units; a trigger rate of a fifth costs five times as many", () => {
    const size = (design: Partial<Plan>) =>
      given(sampleSize({ ...plainPlan, ...design }, baseline, 0.1, 0.8)).units;
    const plain = size({});
    expect(size({ varianceReduction: 0.5 }) / plain).toBeCloseTo(0.5, 3);
    expect(size({ triggerRate: 0.2 }) / plain).toBeCloseTo(5, 2);
    expect(size({ triggerRate: 0.2, analysed: "everybody" }) / plain).toBeCloseTo(25, 2);
    expect(size({ shares: { control: 0.9, treated: 0.1 } }) / plain).toBeCloseTo(1 / (4 * 0.9 * 0.1), 2);
  });
});

describe("whatever comes in, there is a number or a reason", () => {
  const wild = fc.array(
    fc.constantFrom(0, 0, 1, 0.1, 0.3, -5, 1e-300, 1e150, -1e150, 1e200, Number.POSITIVE_INFINITY),
    {
      maxLength: 30,
    },
  );

  test("adjustments, strata, winsorising, quantiles, lifts and trends", () => {
    fc.assert(
      fc.property(wild, wild, fc.constantFrom(0.05, 1e-9), (a, b, alpha) => {
        const table = a.map((y, i) => [y, b[i] ?? 0, 1, i % 2]);
        const joint = jointMomentsOf(table, 4);
        const strata = [crossMomentsOf(table.map(([y = 0, x = 0]) => [x, y]))];
        const [one, other] = [estimateOfMean(momentsOf(a)), estimateOfMean(momentsOf(b))];
        const finite = a.filter(Number.isFinite);
        const sums = quantileSumsOf([finite, finite.slice(0, 3)]);
        const said = {
          mean: adjustedArms([joint, joint], { numerator: 0, covariates: [1, 2, 3] }),
          ratio: adjustedArms([joint, joint], { numerator: 0, denominator: 1, covariates: [2, 3] }),
          strata: postStratified([strata, strata]),
          quantile: estimateOfQuantile(sums, 0.5),
          lift: one.ok && other.ok ? fieller(one.value, other.value, alpha) : undefined,
          slope: trendWithinUnits(joint, [0, 1, 2, 3]),
          segments: heterogeneity(a.map((estimate, i) => ({ estimate, standardError: Math.abs(b[i] ?? 1) }))),
          line: trend(a.map((estimate, at) => ({ estimate, at, standardError: Math.abs(b[at] ?? 1) }))),
        };
        expect(unreadable(said)).toEqual([]);
      }),
    );
  });

  const endless: Baseline = { value: Number.POSITIVE_INFINITY, unitVariance: 1, spread: "constant" };

  test.each([
    ["a quantile of no units", estimateOfQuantile(noQuantileSums, 0.5), "no-units"],
    ["a quantile of units without events", estimateOfQuantile(quantileSumsOf([[]]), 0.5), "zero-denominator"],
    ["a quantile of one unit", estimateOfQuantile(quantileSumsOf([[1, 2, 3]]), 0.5), "one-unit"],
    ["a p99 of a few events", estimateOfQuantile(quantileSumsOf([[1, 2], [3]]), 0.99), "too-few-events"],
    ["a cap of nobody", pooledCap([], 0.99), "no-units"],
    ["one segment", heterogeneity([{ estimate: 1, standardError: 1 }]), "one-segment"],
    [
      "segments without spread",
      heterogeneity([
        { estimate: 1, standardError: 0 },
        { estimate: 2, standardError: 1 },
      ]),
      "no-variance",
    ],
    ["a trend over one day", trendWithinUnits(jointMomentsOf([[1], [2]], 1), [3]), "one-segment"],
    ["a share of nobody", proportion({ events: 0, units: 0 }, 0.05), "no-units"],
    [
      "nobody in either arm did",
      proportionDifference({ events: 0, units: 9 }, { events: 0, units: 9 }, 0.05),
      "no-variance",
    ],
    ["no effect to find", sampleSize(plainPlan, baselineOfProportion(0.1), 0, 0.8), "out-of-reach"],
    [
      "a value multiplied below 0",
      power(plainPlan, { value: 1, unitVariance: 1, spread: "grows" }, -2, 1_000),
      "out-of-reach",
    ],
    [
      "a multiple of 0",
      sampleSize(plainPlan, { value: 0, unitVariance: 1, spread: "grows" }, 1, 0.8),
      "zero-control",
    ],
    ["a share above 1", power(plainPlan, baselineOfProportion(0.9), 0.2, 1_000), "out-of-reach"],
    ["a rate of nobody", sampleSize(plainPlan, baselineOfProportion(0), 0.1, 0.8), "no-variance"],
    ["a power with a unit an arm", power(plainPlan, baselineOfProportion(0.1), 0.1, 2), "one-unit"],
    ["an endless baseline", power(plainPlan, endless, 1, 100), "infinite"],
    [
      "a harm beyond the margin",
      sampleSize({ ...plainPlan, margin: 0.1 }, { ...endless, value: 1 }, -0.2, 0.8),
      "out-of-reach",
    ],
    ["a sample that never comes", days(100, [50, 0]), "out-of-reach"],
  ])("%s: %#", (_, said, reason) => {
    expect(said).toEqual({ ok: false, reason });
  });
});

test("days until enough different units have come: the last day's number repeats", () => {
  expect(days(1_000, [100])).toEqual({ ok: true, value: 10 });
  expect(days(1_000, [400, 300, 100])).toEqual({ ok: true, value: 5 });
  expect(days(0, [400])).toEqual({ ok: true, value: 0 });
  expect(days(400, [400, 300])).toEqual({ ok: true, value: 1 });
});

test("a baseline from an estimate undoes what the estimate divided by", () => {
  const moments = momentsOf([1, 2, 4, 9]);
  const baseline = baselineOf(given(estimateOfMean(moments)));
  expect(baseline.unitVariance).toBeCloseTo(moments.m2 / 3, 12);
});

/** Paths of the numbers in `value` that are NaN or infinite. */
function unreadable(value: unknown, path = ""): string[] {
  if (typeof value === "number") return Number.isFinite(value) ? [] : [`${path} = ${value}`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => unreadable(inner, `${path}.${key}`));
}
