/** Against SciPy and statsmodels: test/support/make-sequential-references.py made the numbers. */
import { describe, expect, test } from "vitest";
import { alwaysValidBound } from "../../src/statistics/always-valid.ts";
import { benjaminiHochberg } from "../../src/statistics/benjamini-hochberg.ts";
import { upperBinomial, upperF } from "../../src/statistics/beta-tails.ts";
import { covariateBalance } from "../../src/statistics/covariate-balance.ts";
import { type Answer, type Estimate, estimateOfMean } from "../../src/statistics/estimate.ts";
import { exposureLoss } from "../../src/statistics/exposure-loss.ts";
import { crossings, sequentialBounds } from "../../src/statistics/group-sequential.ts";
import { alwaysValidSign, preferenceTest, signTest } from "../../src/statistics/interleaving.ts";
import { jointMomentsOf } from "../../src/statistics/joint-moments.ts";
import { upperKolmogorov } from "../../src/statistics/kolmogorov.ts";
import { skewness } from "../../src/statistics/minimum-units.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import { criticalNormal, upperNormal } from "../../src/statistics/normal.ts";
import { type Margin, notWorse } from "../../src/statistics/not-worse.ts";
import { offPolicy } from "../../src/statistics/off-policy.ts";
import { stagewiseResult } from "../../src/statistics/stagewise.ts";
import { strataSampleRatio } from "../../src/statistics/strata-sample-ratio.ts";
import { dilutedEffect } from "../../src/statistics/trigger-dilution.ts";
import { uniformity } from "../../src/statistics/uniformity.ts";
import { mergeOffPolicySums, noOffPolicySums, offPolicySumsOf } from "../support/logged-decisions.ts";
import references from "../support/sequential-references.json" with { type: "json" };
import { skewedMomentsOf } from "../support/skewed-moments.ts";
import { interleavingSums } from "../support/unit-credits.ts";

/** Relative to the reference, so that a tail of 1e-200 has to be right in its digits too. */
function expectNear(got: number | undefined, reference: number, tolerance = 1e-9): void {
  const error = Math.abs((got ?? Number.NaN) - reference);
  expect(error, `got ${got}, reference ${reference}`).toBeLessThanOrEqual(tolerance * Math.abs(reference));
}

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

function meanOf(values: readonly number[]): Estimate {
  return given(estimateOfMean(momentsOf(values)));
}

describe("distributions", () => {
  test("normal, both ways, into the tails", () => {
    for (const { z, probability } of references.upperNormal) expectNear(upperNormal(z), probability, 1e-10);
    for (const { z, probability } of references.criticalNormal)
      expectNear(criticalNormal(probability), z, 1e-10);
  });

  test("Fisher's F", () => {
    for (const one of references.upperF) {
      expectNear(upperF(one.statistic, one.numerator, one.denominator), one.pValue);
    }
  });

  test("binomial", () => {
    for (const one of references.upperBinomial) {
      expectNear(upperBinomial(one.successes, one.trials, one.share), one.pValue);
    }
  });

  test("Kolmogorov, exact and in the limit", () => {
    expect(references.kolmogorov.exact.length).toBeGreaterThan(50);
    for (const one of [...references.kolmogorov.exact, ...references.kolmogorov.asymptotic]) {
      expectNear(upperKolmogorov(one.distance, one.count), one.pValue);
    }
  });
});

test("Benjamini-Hochberg", () => {
  for (const { pValues, adjusted } of references.benjaminiHochberg) {
    const got = benjaminiHochberg(pValues);
    for (const [i, reference] of adjusted.entries()) expectNear(got[i], reference);
  }
});

test("one-sided always-valid bound and p-value, with the N* of the plan", () => {
  for (const { units, alpha, tunedUnits, low, pValue, ...seen } of references.alwaysValidBound) {
    const above = given(alwaysValidBound(seen, units, { side: "above", than: 0, alpha, tunedUnits }));
    expectNear(above.bound, low);
    expectNear(above.pValue, pValue);
    const mirrored = { ...seen, estimate: -seen.estimate };
    const below = given(alwaysValidBound(mirrored, units, { side: "below", than: 0, alpha, tunedUnits }));
    expectNear(below.bound, -low);
    expectNear(below.pValue, pValue);
  }
});

describe.each(references.groupSequential)(
  "group-sequential, $spending, $sides-sided, at $fractions",
  (one) => {
    const plan = {
      alpha: one.alpha,
      sides: one.sides as 1 | 2,
      spending: one.spending as "obrien-fleming" | "pocock",
    };
    const design = given(sequentialBounds(plan, one.fractions, one.ended));
    // What the two quadratures and root searches leave: 5e-10.
    const tolerance = 1e-8;

    test("bounds", () => {
      for (const [look, bound] of one.bounds.entries()) expectNear(design.bounds[look], bound, tolerance);
    });

    test("the probability of stopping at each look, where there is an effect", () => {
      const { above } = crossings(design, one.drift);
      for (const [look, probability] of one.above.entries()) expectNear(above[look], probability, tolerance);
    });

    test("p-value, median-unbiased estimate and interval after the stop", () => {
      const got = given(stagewiseResult(design, one.stagewise));
      expectNear(got.pValue, one.stagewise.pValue, tolerance);
      expectNear(got.estimate, one.stagewise.median, tolerance);
      expectNear(got.ciLow, one.stagewise.ciLow, tolerance);
      expectNear(got.ciHigh, one.stagewise.ciHigh, tolerance);
    });
  },
);

test("not worse than a margin", () => {
  for (const { control, treated, goal, kind, size, alpha, ...reference } of references.notWorse) {
    const margin = { goal, kind, size } as Margin;
    const got = given(notWorse(meanOf(treated), meanOf(control), margin, { alpha, horizon: "fixed" }));
    expectNear(got.low, reference.low);
    expectNear(got.high, reference.high);
    expectNear(got.pValue, reference.pValue);
    expectNear(got.pValueWorse, reference.pValueWorse);
  }
});

describe("health", () => {
  test("covariate balance", () => {
    for (const { control, treated, ...reference } of references.covariates) {
      const got = given(covariateBalance(jointMomentsOf(treated, 3), jointMomentsOf(control, 3)));
      for (const [i, value] of reference.standardised.entries()) expectNear(got.standardised[i], value);
      expectNear(got.statistic, reference.statistic);
      expect(got.degreesOfFreedom).toEqual(reference.degreesOfFreedom);
      expectNear(got.pValue, reference.pValue);
    }
  });

  test("sample ratio by stratum", () => {
    const { units, weights, pValues, adjusted } = references.strata;
    const named = units.map((counts, i) => ({ name: `day ${i}`, units: counts }));
    for (const [i, stratum] of strataSampleRatio(named, weights).entries()) {
      expectNear(stratum.pValue, pValues[i] as number);
      expectNear(stratum.pValueAdjusted, adjusted[i] as number);
    }
  });

  test("exposure loss", () => {
    for (const { assigned, exposed, statistic, pValue } of references.exposure) {
      const arms = assigned.map((units, i) => ({ assigned: units, exposed: exposed[i] as number }));
      const got = given(exposureLoss(arms));
      expectNear(got.statistic, statistic);
      expectNear(got.pValue, pValue);
    }
  });

  test("skewness", () => {
    for (const one of references.skewness) {
      // A mean of 1e6 before a spread of 1 costs digits of the third power: SciPy's too.
      expectNear(skewness(skewedMomentsOf(one.values)), one.skewness, 1e-8);
    }
  });
});

describe("interleaving", () => {
  test("sign test, preference, always-valid share", () => {
    for (const { first, second, sign, preference, alwaysValid } of references.interleaving) {
      const units = first.map((credit, i) => ({
        first: credit,
        second: second[i] as number,
        slots: 10,
        competitive: 5,
      }));
      const sums = interleavingSums(units);
      expectNear(given(signTest(sums)).pValue, sign);
      const tested = given(preferenceTest(sums, 0.05));
      for (const key of ["estimate", "ciLow", "ciHigh", "statistic", "pValue"] as const) {
        expectNear(tested[key], preference[key]);
      }
      const share = given(alwaysValidSign(sums, 0.05));
      for (const key of ["low", "high", "pValue"] as const) expectNear(share[key], alwaysValid[key]);
    }
  });
});

test("off-policy estimates and their errors, clustered by unit", () => {
  for (const one of references.offPolicy) {
    const units = Map.groupBy(one.unit.keys(), (row) => one.unit[row]);
    const sums = [...units.values()]
      .map((rows) =>
        offPolicySumsOf(
          rows.map((row) => ({
            propensity: one.propensity[row] as number,
            target: one.target[row] as number,
            reward: one.reward[row] as number,
            unsupported: 0,
            model: { logged: one.logged[row] as number, target: one.over[row] as number },
          })),
        ),
      )
      .reduce(mergeOffPolicySums, noOffPolicySums);
    const got = offPolicy(sums, 1);
    expectNear(got.effectiveDecisions, one.effectiveDecisions);
    expectNear(got.effectiveUnits, one.effectiveUnits);
    for (const key of ["ips", "snips", "doublyRobust", "meanWeight"] as const) {
      const estimate = given(got[key]);
      expectNear(estimate.value, one[key].value);
      expectNear(Math.sqrt(estimate.variance), one[key].standardError);
    }
  }
});

test("a triggered effect over all traffic", () => {
  const moments = (rows: readonly (readonly number[])[]) =>
    crossMomentsOf(rows.map(([x, y]) => [x as number, y as number] as const));
  for (const one of references.dilution) {
    const got = given(
      dilutedEffect(
        { triggered: moments(one.treated), others: moments(one.treatedOthers) },
        { triggered: moments(one.control), others: moments(one.controlOthers) },
        0.05,
      ),
    );
    expectNear(got.triggerRate, one.triggerRate);
    for (const key of ["estimate", "standardError", "ciLow", "ciHigh"] as const) {
      expectNear(got.absolute[key], one.absolute[key]);
      expectNear(got.relative?.[key], one.relative[key]);
    }
  }
});

test("uniformity of p-values", () => {
  for (const { pValues, statistic, pValue } of references.uniformity) {
    const got = given(uniformity(pValues));
    expectNear(got.statistic, statistic);
    expectNear(got.pValue, pValue);
  }
});
