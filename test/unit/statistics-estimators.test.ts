/** Against SciPy, statsmodels and NumPy: test/support/make-statistics-references.py made the numbers. */
import { describe, expect, test } from "vitest";
import { adjustedArms } from "../../src/statistics/adjusted.ts";
import type { Answer } from "../../src/statistics/estimate.ts";
import { fieller } from "../../src/statistics/fieller.ts";
import { heterogeneity, trend, trendWithinUnits } from "../../src/statistics/heterogeneity.ts";
import {
  crossOf,
  jointMomentsOf,
  marginalOf,
  meanOf,
  productOf,
} from "../../src/statistics/joint-moments.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import { upperNoncentralT } from "../../src/statistics/noncentral-t.ts";
import { postStratified, unitDenominator } from "../../src/statistics/post-stratification.ts";
import { power } from "../../src/statistics/power.ts";
import type { Baseline } from "../../src/statistics/power-plan.ts";
import { proportion, proportionDifference } from "../../src/statistics/proportions.ts";
import { estimateOfQuantile } from "../../src/statistics/quantile.ts";
import { sampleSize } from "../../src/statistics/sample-size.ts";
import { baselineOfProportion, plainPlan } from "../support/power-plans.ts";
import references from "../support/statistics-references.json" with { type: "json" };
import { mergeQuantileSums, noQuantileSums, quantileSumsOf } from "../support/unit-events.ts";
import { bucketedMomentsOf, pooledCap, winsorised } from "../support/winsorised.ts";

/** Relative to the reference, so that a p-value of 1e-40 has to be right in its digits too. */
function expectNear(got: number | undefined, reference: number | undefined, tolerance = 1e-9): void {
  const error = Math.abs((got ?? Number.NaN) - (reference ?? Number.NaN));
  expect(error, `got ${got}, reference ${reference}`).toBeLessThanOrEqual(
    tolerance * Math.abs(reference ?? Number.NaN),
  );
}

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

test("the noncentral t distribution, from 1e-11 to 1", () => {
  expect(references.noncentralT.some(({ upper }) => upper < 1e-11)).toBe(true);
  for (const one of references.noncentralT) {
    const got = upperNoncentralT(one.statistic, one.degreesOfFreedom, one.noncentrality);
    expectNear(got, one.upper);
  }
});

describe.each(references.fieller)("Fieller's set, $name", (one) => {
  test("is that of the lifts which Welch's test of T - r C does not reject", () => {
    const set = given(fieller(one.treated, one.control, one.alpha));
    const ends = set.kind === "everything" ? [] : [set.ciLow, set.ciHigh];
    expect(set.kind).toBe(one.kind);
    expect(ends).toHaveLength(one.ends.length);
    for (const [i, end] of ends.entries()) expectNear(end, one.ends[i]);
  });
});

test.each(references.adjusted)("several covariates: the analysis of covariance, $name", (one) => {
  const arms = one.rows.map((rows) => jointMomentsOf(rows, 5));
  const outcome = one.ratio ? { numerator: 0, denominator: 1 } : { numerator: 0 };
  const adjusted = given(adjustedArms(arms, { ...outcome, covariates: [2, 3, 4] }));
  expect(adjusted.thetas).toHaveLength(3);
  expect(one.varianceReduction).toBeGreaterThan(0.03);
  for (const [i, theta] of adjusted.thetas.entries()) expectNear(theta, one.thetas[i]);
  for (const [i, arm] of adjusted.arms.entries()) {
    expectNear(arm.value, one.values[i]);
    expectNear(arm.variance, one.variances[i]);
  }
  expectNear(adjusted.varianceReduction, one.varianceReduction);
});

test("post-stratification: a saturated model with HC2 errors", () => {
  const { values, means, variances } = references.postStratified;
  const arms = values.map((strata) => strata.map((units) => unitDenominator(momentsOf(units))));
  const stratified = given(postStratified(arms));
  expect(stratified).toMatchObject({ strata: 4, merged: 0 });
  for (const [i, arm] of stratified.arms.entries()) {
    expectNear(arm.value, means[i]);
    expectNear(arm.variance, variances[i]);
  }
});

test.each(references.winsorised.at)("winsorised at the pooled quantile $quantile, as NumPy clips", (one) => {
  const arms = references.winsorised.arms.map((rows) => bucketedMomentsOf(rows, 2));
  const cap = given(pooledCap(arms, one.quantile));
  expectNear(cap, one.cap);
  for (const [i, arm] of arms.entries()) {
    const moments = winsorised(arm, cap);
    const covariances = [productOf(moments, 0, 0), productOf(moments, 1, 0), productOf(moments, 1, 1)];
    for (const variable of [0, 1]) expectNear(meanOf(moments, variable), one.means[i]?.[variable]);
    for (const [at, product] of covariances.entries()) {
      expectNear(product / (moments.count - 1), one.covariances[i]?.[at]);
    }
  }
});

test.each(references.quantile)("the quantile $quantile of events that cluster in units", (one) => {
  const half = one.events.length >> 1;
  const parts = [one.events.slice(0, half), one.events.slice(half)].map(quantileSumsOf);
  const sums = parts.reduce(mergeQuantileSums, noQuantileSums);
  const estimate = given(estimateOfQuantile(sums, one.quantile));
  expectNear(estimate.value, one.value);
  expectNear(Math.sqrt(estimate.variance), one.standardError);
  expectNear(estimate.value, one.exact, 0.01);
});

test.each(references.heterogeneity)("segments, $name: Cochran's Q and the trend", (one) => {
  const segments = one.effects.map((estimate, i) => ({
    estimate,
    standardError: one.errors[i] ?? Number.NaN,
    at: 2 * i,
  }));
  const got = given(heterogeneity(segments));
  expectNear(got.pooled.estimate, one.pooled);
  expectNear(got.pooled.standardError, one.pooledError);
  expectNear(got.statistic, one.statistic);
  expectNear(got.pValue, one.pValue);
  expectNear(got.inconsistency, one.inconsistency);
  const slope = given(trend(segments));
  expectNear(slope.estimate, one.slope);
  expectNear(slope.standardError, one.slopeError);
  expectNear(slope.pValue, one.slopePValue);
});

test("segments that all stand in one place have no trend, however their mean place is rounded", () => {
  const segments = [
    { estimate: -905.979, standardError: 83.841, at: 25 },
    { estimate: 126.359, standardError: 35.923, at: 25 },
  ];
  expect(trend(segments)).toEqual({ ok: false, reason: "one-segment" });
});

test("the trend within units is the mean of the units' own least-squares lines", () => {
  const { days, rows, value, variance } = references.slope;
  const slope = given(trendWithinUnits(jointMomentsOf(rows, days.length), days));
  expectNear(slope.value, value);
  expectNear(slope.variance, variance);
});

test.each(references.proportions)("shares $treated against $control", (one) => {
  const wilson = given(proportion(one.treated, one.alpha));
  expect(wilson.ciLow).toBeCloseTo(one.wilson[0] ?? Number.NaN, 14);
  expectNear(wilson.ciHigh, one.wilson[1]);
  const score = given(proportionDifference(one.treated, one.control, one.alpha));
  expectNear(score.statistic, one.statistic);
  expectNear(score.pValue, one.pValue);
  expectNear(score.ciLow, one.ciLow);
  expectNear(score.ciHigh, one.ciHigh);
});

const spreadOfOne: Baseline = { value: 10, unitVariance: 1, spread: "constant" };

describe("power", () => {
  test("is that of statsmodels' t test in equal arms, two-sided and of non-inferiority", () => {
    for (const one of references.power) {
      const plan = { ...plainPlan, alpha: one.alpha, margin: one.oneSided ? 0 : undefined };
      expectNear(given(power(plan, spreadOfOne, one.effect, 2 * one.perArm)), one.power);
    }
  });

  test("in unequal arms has Welch's degrees of freedom, within a percentage point of the pooled test's", () => {
    for (const { control, treated, effect, ...one } of references.unequalPower) {
      const all = control + treated;
      const plan = { ...plainPlan, shares: { control: control / all, treated: treated / all } };
      const got = given(power(plan, spreadOfOne, effect, all));
      expectNear(got, one.power);
      expect(Math.abs(got - one.pooled)).toBeLessThan(0.01);
    }
  });

  test("sample size: statsmodels' rounded up", () => {
    for (const one of references.sampleSize) {
      const size = given(sampleSize({ ...plainPlan, alpha: one.alpha }, spreadOfOne, one.effect, one.power));
      expect(size.control).toBe(Math.ceil(one.perArm));
      expect(size).toMatchObject({ treated: size.control, units: 2 * size.control });
    }
  });

  test("of proportions, within 0.3 percentage points of the exact power, 2.5 where control has fewer than ten events", () => {
    for (const one of references.exactProportionPower) {
      const got = given(
        power(plainPlan, baselineOfProportion(one.base), one.lifted - one.base, 2 * one.perArm),
      );
      expect(Math.abs(got - one.power)).toBeLessThan(one.base * one.perArm > 10 ? 0.003 : 0.025);
    }
  });
});

test("the marginals of joint moments are what one and two variables alone would have", () => {
  const rows = references.slope.rows;
  const alone = momentsOf(rows.map((row) => row[3] ?? Number.NaN));
  const marginal = marginalOf(jointMomentsOf(rows, 5), 3);
  expectNear(marginal.mean, alone.mean);
  expectNear(marginal.m2, alone.m2);
  const pairs = crossMomentsOf(
    rows.map((row): [number, number] => [row[1] ?? Number.NaN, row[3] ?? Number.NaN]),
  );
  const cross = crossOf(jointMomentsOf(rows, 5), 1, 3);
  for (const key of ["count", "meanX", "meanY", "m2X", "m2Y", "cXY"] as const) {
    expectNear(cross[key], pairs[key]);
  }
});
