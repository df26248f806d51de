/** Against SciPy and statsmodels: test/support/make-statistics-references.py made the numbers. */
import { describe, expect, test } from "vitest";
import { alwaysValid } from "../../src/statistics/always-valid.ts";
import { cuped } from "../../src/statistics/cuped.ts";
import { criticalT, twoSidedT, upperChiSquare } from "../../src/statistics/distributions.ts";
import {
  type Answer,
  type Estimate,
  estimateOfMean,
  estimateOfRatio,
} from "../../src/statistics/estimate.ts";
import { holm } from "../../src/statistics/holm.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import { sampleRatio } from "../../src/statistics/sample-ratio.ts";
import { difference, relativeLift } from "../../src/statistics/welch.ts";
import references from "../support/statistics-references.json" with { type: "json" };

/** Relative to the reference, so that a p-value of 1e-200 has to be right in its digits too. */
function expectNear(got: number | undefined, reference: number, tolerance = 1e-9): void {
  const error = Math.abs((got ?? Number.NaN) - reference);
  expect(error, `got ${got}, reference ${reference}`).toBeLessThanOrEqual(tolerance * Math.abs(reference));
}

function given<T>(answered: Answer<T>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

describe("distributions", () => {
  test("Student's t, two-sided, into the tails", () => {
    expect(references.twoSidedT.some(({ pValue }) => pValue < 1e-200)).toBe(true);
    for (const one of references.twoSidedT) {
      expectNear(twoSidedT(one.statistic, one.degreesOfFreedom), one.pValue, 1e-10);
      expectNear(twoSidedT(-one.statistic, one.degreesOfFreedom), one.pValue, 1e-10);
    }
  });

  test("critical values of Student's t", () => {
    for (const one of references.criticalT) {
      expectNear(criticalT(one.alpha, one.degreesOfFreedom), one.critical, 1e-10);
    }
  });

  test("chi-square, into the tail", () => {
    expect(references.upperChiSquare.some(({ pValue }) => pValue < 1e-200)).toBe(true);
    for (const one of references.upperChiSquare) {
      expectNear(upperChiSquare(one.statistic, one.degreesOfFreedom), one.pValue, 1e-10);
    }
  });
});

describe.each(references.welch)("Welch, $name", ({ control, treated, alpha, ...reference }) => {
  const arms = [treated, control].map((values) => given(estimateOfMean(momentsOf(values)))) as [
    Estimate,
    Estimate,
  ];
  // Where 1e9 stands before a spread of 1, doubles have only seven digits left for it: SciPy's mean too.
  const tolerance = Math.abs(control[0] ?? 0) > 1e8 ? 1e-6 : 1e-9;

  test("difference, interval, degrees of freedom and p-value", () => {
    const tested = given(difference(...arms, alpha));
    for (const key of ["estimate", "ciLow", "ciHigh", "statistic", "degreesOfFreedom", "pValue"] as const) {
      expectNear(tested[key], reference.difference[key], tolerance);
    }
  });

  test("relative lift by the delta method", () => {
    const lift = given(relativeLift(...arms, alpha));
    for (const key of ["estimate", "ciLow", "ciHigh"] as const) {
      expectNear(lift[key], reference.relative[key], tolerance);
    }
  });
});

test.each(references.ratio)(
  "the ratio's standard error is that of a robust weighted regression, $name",
  (one) => {
    const pairs = one.numerators.map((y, i): [number, number] => [one.denominators[i] ?? Number.NaN, y]);
    const ratio = given(estimateOfRatio(crossMomentsOf(pairs)));
    expectNear(ratio.value, one.value);
    expectNear(Math.sqrt(ratio.variance), one.standardError);
  },
);

test.each(references.cuped)("CUPED is the analysis of covariance, $name", (one) => {
  const arms = one.after.map((values, arm) =>
    crossMomentsOf(values.map((y, i): [number, number] => [one.before[arm]?.[i] ?? Number.NaN, y])),
  );
  const adjusted = given(cuped(arms));
  expectNear(adjusted.theta, one.theta);
  expectNear(adjusted.varianceReduction, one.varianceReduction);
  expect(adjusted.arms).toHaveLength(one.values.length);
  for (const [i, arm] of adjusted.arms.entries()) {
    expectNear(arm.value, one.values[i] ?? Number.NaN);
    expectNear(arm.variance, one.variances[i] ?? Number.NaN);
  }
});

test.each(references.holm)("Holm of $pValues", ({ pValues, adjusted }) => {
  const got = holm(pValues);
  expect(got).toHaveLength(adjusted.length);
  for (const [i, value] of got.entries()) expectNear(value, adjusted[i] ?? Number.NaN);
});

test.each(references.sampleRatio)("SRM of $units against $weights", (one) => {
  const got = sampleRatio(one.units, one.weights);
  expectNear(got.statistic, one.statistic);
  expectNear(got.pValue, one.pValue);
  expect(got.ok).toBe(one.pValue >= 0.001);
});

test.each(references.alwaysValid)("always-valid interval of $units units", (one) => {
  const { estimate, standardError, units, alpha } = one;
  const got = alwaysValid({ estimate, standardError, statistic: estimate / standardError }, units, alpha);
  expectNear(got.ciLow, one.ciLow);
  expectNear(got.ciHigh, one.ciHigh);
  expectNear(got.pValue, one.pValue);
});

test("at the sample it is tuned for, the always-valid interval is 1.55 times as wide as the one for one look", () => {
  const got = alwaysValid({ estimate: 0, standardError: 1, statistic: 0 }, 10_000, 0.05);
  expect(got.ciHigh / criticalT(0.05, 9_998)).toBeCloseTo(1.55, 2);
});
