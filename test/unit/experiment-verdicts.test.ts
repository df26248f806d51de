/** What the verdicts, health tests and refusals say of experiments that can be worked out by hand. */
import { describe, expect, test } from "vitest";
import type { HealthFindings } from "../../src/analysis/health-findings.ts";
import { crossedCheck, exposureCheck } from "../../src/analysis/split-checks.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { alwaysValid, alwaysValidBound } from "../../src/statistics/always-valid.ts";
import { covariateBalance } from "../../src/statistics/covariate-balance.ts";
import type { Answer, Estimate } from "../../src/statistics/estimate.ts";
import { exposureLoss } from "../../src/statistics/exposure-loss.ts";
import { adjustByRole, simultaneousAlpha } from "../../src/statistics/families.ts";
import {
  alwaysValidPreference,
  alwaysValidSign,
  competitiveShare,
  noInterleavingSums,
  preferenceTest,
  signTest,
} from "../../src/statistics/interleaving.ts";
import { jointMomentsOf } from "../../src/statistics/joint-moments.ts";
import { minimumUnits } from "../../src/statistics/minimum-units.ts";
import { crossMomentsOf, noCrossMoments } from "../../src/statistics/moments.ts";
import { notWorse, type OneSided } from "../../src/statistics/not-worse.ts";
import { notWorseAndBetter } from "../../src/statistics/not-worse-and-better.ts";
import { offPolicy } from "../../src/statistics/off-policy.ts";
import { prePeriodCheck } from "../../src/statistics/pre-period.ts";
import { strataSampleRatio } from "../../src/statistics/strata-sample-ratio.ts";
import { dilutedEffect } from "../../src/statistics/trigger-dilution.ts";
import { uniformity } from "../../src/statistics/uniformity.ts";
import {
  type LoggedDecision,
  mergeOffPolicySums,
  noOffPolicySums,
  offPolicySumsOf,
} from "../support/logged-decisions.ts";
import { skewedMomentsOf } from "../support/skewed-moments.ts";
import { interleavingSums } from "../support/unit-credits.ts";

function given<T>(answered: Answer<T, string>): T {
  if (!answered.ok) throw new Error(`no answer: ${answered.reason}`);
  return answered.value;
}

const estimate = (value: number, error = 0.01, units = 5_000): Estimate => ({
  units,
  value,
  variance: error * error,
});

describe("always-valid, tuned by the plan", () => {
  test("is tightest where the plan said, and 1.55 times as wide as one look there", () => {
    const width = (units: number, tunedUnits: number) => {
      const standardError = 1 / Math.sqrt(units);
      const { ciHigh } = alwaysValid({ estimate: 0, standardError, statistic: 0 }, units, 0.05, tunedUnits);
      return ciHigh / standardError / 1.96;
    };
    expect(width(400_000, 400_000)).toBeCloseTo(1.55, 2);
    expect(width(400_000, 400_000)).toBeLessThan(width(400_000, 10_000));
    expect(width(10_000, 10_000)).toBeLessThan(width(10_000, 400_000));
  });

  test("one side is tighter than two, and has no answer without units or spread", () => {
    const question = { side: "above", than: 0, alpha: 0.05, tunedUnits: 10_000 } as const;
    const seen = { estimate: 0.5, standardError: 0.1 };
    const both = alwaysValid({ ...seen, statistic: 5 }, 10_000, 0.05);
    const one = given(alwaysValidBound(seen, 10_000, question));
    expect(one.bound).toBeGreaterThan(both.ciLow);
    expect(one.pValue).toBeLessThan(both.pValue);
    expect(alwaysValidBound(seen, 0, question)).toEqual({ ok: false, reason: "no-units" });
    expect(alwaysValidBound({ estimate: 1, standardError: 0 }, 9, question)).toEqual({
      ok: false,
      reason: "no-variance",
    });
  });
});

describe("families", () => {
  test("primaries by Holm, secondaries by Benjamini-Hochberg, guardrails as they are", () => {
    const adjusted = adjustByRole([
      { role: "secondary", pValue: 0.02 },
      { role: "primary", pValue: 0.03 },
      { role: "guardrail", pValue: 0.04 },
      { role: "primary", pValue: 0.01 },
      { role: "secondary", pValue: 0.03 },
    ]);
    expect(adjusted.map(({ by }) => by)).toEqual([
      "benjamini-hochberg",
      "holm",
      "none",
      "holm",
      "benjamini-hochberg",
    ]);
    expect(adjusted.map(({ pValue }) => pValue)).toEqual([0.03, 0.03, 0.04, 0.02, 0.03]);
  });

  test("a test without an answer still counts in its family", () => {
    const [first, second] = adjustByRole([
      { role: "primary", pValue: 0.02 },
      { role: "primary", pValue: undefined },
    ]);
    expect(first?.pValue).toBe(0.04);
    expect(second?.pValue).toBeUndefined();
    expect(simultaneousAlpha(0.05, 2)).toBe(0.025);
  });
});

describe.each([
  { alpha: 0.05, horizon: "fixed" },
  { alpha: 0.05, horizon: "always-valid", tunedUnits: 10_000 },
] satisfies OneSided[])("not worse, $horizon", (one) => {
  const relative = { goal: "increase", kind: "relative", size: 0.1 } as const;

  test("equal arms keep a margin of many standard errors, and are not better than each other", () => {
    const kept = given(notWorse(estimate(1), estimate(1), relative, one));
    expect(kept.low).toBeGreaterThan(0);
    expect(kept.pValue).toBeLessThan(0.05);
    const better = given(notWorse(estimate(1), estimate(1), { ...relative, size: 0 }, one));
    expect(better.low).toBeLessThan(0);
    expect(better.pValue).toBeGreaterThan(0.05);
  });

  test("where less is better, and where control is negative, the margin is still a worsening", () => {
    const latency = { goal: "decrease", kind: "relative", size: 0.1 } as const;
    expect(given(notWorse(estimate(1.05), estimate(1), latency, one)).slack).toBeCloseTo(0.05, 12);
    expect(given(notWorse(estimate(1.3), estimate(1), latency, one)).high).toBeLessThan(0);
    expect(given(notWorse(estimate(-1.05), estimate(-1), relative, one)).slack).toBeCloseTo(0.05, 12);
  });

  test("no share of a control of zero, and nothing without spread", () => {
    expect(notWorse(estimate(1), estimate(0), relative, one)).toEqual({ ok: false, reason: "zero-control" });
    expect(notWorse(estimate(1, 0), estimate(1, 0), relative, one)).toEqual({
      ok: false,
      reason: "no-variance",
    });
  });

  describe("and better", () => {
    const margin = { goal: "increase", kind: "absolute", size: 0.1 } as const;
    const verdict = (quality: number, latency: number, cost: number) =>
      given(
        notWorseAndBetter(
          { treated: estimate(quality), control: estimate(1), margin },
          [
            { name: "latency", goal: "decrease", treated: estimate(latency), control: estimate(1) },
            { name: "cost", goal: "decrease", treated: estimate(cost), control: estimate(1) },
          ],
          one,
        ),
      );

    test.each([
      ["proven", 1, 0.5, 1.2],
      ["proven", 0.99, 1, 0.8],
      ["no-gain", 1, 1, 1],
      ["worse", 0.7, 0.5, 0.5],
      ["open", 0.9, 0.5, 0.5],
    ] as const)("%s: quality %d, latency %d, cost %d", (expected, quality, latency, cost) => {
      const statement = verdict(quality, latency, cost);
      expect(statement.verdict).toBe(expected);
      expect(statement.pValue <= 0.05).toBe(expected === "proven");
      expect(statement.pValue).toBeGreaterThanOrEqual(statement.quality.pValue);
    });

    test("a gain without an answer cannot be the one that is proven", () => {
      const flat = {
        name: "cost",
        goal: "decrease",
        treated: estimate(1, 0),
        control: estimate(2, 0),
      } as const;
      const statement = given(
        notWorseAndBetter({ treated: estimate(1), control: estimate(1), margin }, [flat], one),
      );
      expect(statement.verdict).toBe("no-gain");
      expect(statement.gains[0]?.pValueAdjusted).toBe(1);
    });
  });
});

describe("health", () => {
  test("opposite faults on two days that cancel in the total are seen by day", () => {
    const strata = [
      { name: "monday", units: [5_300, 4_700] },
      { name: "tuesday", units: [4_700, 5_300] },
      { name: "wednesday", units: [5_010, 4_990] },
      { name: "midnight", units: [4, 0] },
    ];
    expect(strataSampleRatio(strata, [1, 1]).map(({ ok }) => ok)).toEqual([false, false, true, true]);
    expect(strataSampleRatio(strata, [1, 1])[3]?.pValue).toBeUndefined();
    expect(strataSampleRatio(strata, [1, 0])[0]?.pValue).toBeUndefined();
  });

  test("a covariate that follows from another adds nothing, one without spread is left out", () => {
    const random = randomStream("2026-11-26", "covariates");
    const rows = (shift: number) =>
      Array.from({ length: 60 }, () => {
        const x = random.next() + shift;
        return [x, 2 * x + 1, 7];
      });
    const [treated, control] = [rows(0.3), rows(0)];
    const all = given(covariateBalance(jointMomentsOf(treated, 3), jointMomentsOf(control, 3)));
    const first = (row: readonly number[]) => [row[0] as number];
    const alone = given(
      covariateBalance(jointMomentsOf(treated.map(first), 1), jointMomentsOf(control.map(first), 1)),
    );
    expect(all.degreesOfFreedom).toEqual([1, 118]);
    expect(all.pValue).toBeCloseTo(alone.pValue, 12);
    expect(all.standardised[2]).toBeUndefined();
    const flat = jointMomentsOf([[7], [7]], 1);
    expect(covariateBalance(flat, flat)).toEqual({ ok: false, reason: "no-covariate-variance" });
    expect(covariateBalance(flat, jointMomentsOf([], 1))).toEqual({ ok: false, reason: "no-units" });
  });

  test("arms that differed before the experiment are found, and a metric without a past is not judged", () => {
    const checks = prePeriodCheck([
      { name: "plays", treated: estimate(1.1), control: estimate(1) },
      { name: "skips", treated: estimate(1.01), control: estimate(1) },
      { name: "new", treated: undefined, control: estimate(1) },
    ]);
    expect(checks.map(({ ok }) => ok)).toEqual([false, true, true]);
    expect(checks[2]?.difference).toEqual({ ok: false, reason: "no-units" });
  });

  test("an arm that loses exposures is found, and what cannot be compared is said", () => {
    const lossy = given(
      exposureLoss([
        { assigned: 10_000, exposed: 9_900 },
        { assigned: 10_000, exposed: 9_500 },
      ]),
    );
    expect(lossy.pValue).toBeLessThan(1e-10);
    expect(lossy.lost[1]).toBeCloseTo(0.05, 12);
    const arm = (assigned: number, exposed: number) => ({ assigned, exposed });
    expect(exposureLoss([arm(10, 9), arm(0, 0)])).toEqual({ ok: false, reason: "one-arm" });
    expect(exposureLoss([arm(10, 10), arm(9, 9)])).toEqual({ ok: false, reason: "no-loss" });
    expect(exposureLoss([arm(10, 9), arm(9, 9)])).toEqual({ ok: false, reason: "few-expected" });
  });

  test("an arm that loses less than a hundredth more is no fault, however sure it is, nor units in both arms up to that", () => {
    const findings = { arms: ["control", "treated"], units: [49_500, 49_500] } as unknown as HealthFindings;
    const lossOf = (exposed: number) =>
      exposureCheck({
        ...findings,
        exposed: [
          { assigned: 100_000, exposed: 99_900 },
          { assigned: 100_000, exposed },
        ],
      });
    expect(lossOf(99_000)).toMatchObject({ ok: true, pValue: expect.closeTo(0, 10) });
    expect(lossOf(98_800)).toMatchObject({ ok: false });
    expect(crossedCheck({ ...findings, crossed: 1_000 }).ok).toBe(true);
    expect(crossedCheck({ ...findings, crossed: 1_001 }).ok).toBe(false);
  });

  test("a rare event needs far more units than a balanced one", () => {
    const rare = (units: number) =>
      skewedMomentsOf(Array.from({ length: units }, (_, i) => (i % 100 ? 0 : 1)));
    expect(minimumUnits(rare(10_000)).ok).toBe(false);
    expect(minimumUnits(rare(10_000)).needed).toBe(Math.ceil(355 * (0.98 / Math.sqrt(0.01 * 0.99)) ** 2));
    expect(minimumUnits(skewedMomentsOf([0, 1, 0, 1]))).toEqual({ units: 4, needed: 50, ok: false });
    expect(minimumUnits(skewedMomentsOf(Array.from({ length: 60 }, (_, i) => i % 2))).ok).toBe(true);
  });
});

describe("interleaving", () => {
  const unit = (first: number, second: number) => ({ first, second, slots: 10, competitive: 4 });

  test("credit is per unit: one that clicks a thousand times decides no more than one that clicks once", () => {
    const sums = interleavingSums([unit(1_000, 0), unit(0, 1), unit(0, 1), unit(2, 2), unit(0, 0)]);
    expect(given(signTest(sums)).share).toBeCloseTo(1 / 3, 12);
    expect(sums.preference.count).toBe(4);
    expect(given(competitiveShare(sums))).toBe(0.4);
  });

  test("nothing to compare is said", () => {
    const silent = interleavingSums([unit(0, 0)]);
    const same = interleavingSums([{ first: 1, second: 0, slots: 5, competitive: 0 }]);
    for (const tested of [
      signTest,
      (sums: typeof silent) => preferenceTest(sums, 0.05),
      (sums: typeof silent) => alwaysValidSign(sums, 0.05),
      (sums: typeof silent) => alwaysValidPreference(sums, 0.05, 100),
    ]) {
      expect(tested(noInterleavingSums)).toEqual({ ok: false, reason: "no-units" });
      expect(tested(silent)).toEqual({ ok: false, reason: "no-credit" });
      expect(tested(same)).toEqual({ ok: false, reason: "no-competitive-slots" });
    }
    expect(preferenceTest(interleavingSums([unit(1, 0)]), 0.05)).toEqual({ ok: false, reason: "one-unit" });
    expect(preferenceTest(interleavingSums([unit(1, 0), unit(3, 0)]), 0.05)).toEqual({
      ok: false,
      reason: "no-variance",
    });
  });

  test("A/A with a look after every unit: the always-valid sign test is wrong in at most alpha of the lives", () => {
    const random = randomStream("2026-11-26", "interleaving");
    let [wrong, naive] = [0, 0];
    for (let life = 0; life < 300; life++) {
      let [first, second, isWrong, isNaive] = [0, 0, false, false];
      for (let seen = 1; seen <= 1_000; seen++) {
        if (random.next() < 0.5) first += 1;
        else second += 1;
        if (seen % 10 > 0) continue;
        const sums = {
          ...noInterleavingSums,
          units: seen,
          competitive: 1,
          winsFirst: first,
          winsSecond: second,
        };
        isWrong ||= given(alwaysValidSign(sums, 0.1)).pValue <= 0.1;
        isNaive ||= given(signTest(sums)).pValue <= 0.1;
      }
      wrong += isWrong ? 1 : 0;
      naive += isNaive ? 1 : 0;
    }
    expect(wrong).toBeGreaterThan(0);
    // 10 % of 300 lives and three standard errors.
    expect(wrong).toBeLessThanOrEqual(30 + 3 * Math.sqrt(27));
    expect(naive).toBeGreaterThan(90);
  });
});

describe("off-policy", () => {
  const sumsOf = (units: readonly (readonly LoggedDecision[])[]) =>
    units.map(offPolicySumsOf).reduce(mergeOffPolicySums, noOffPolicySums);

  test("a policy that was never played is valued as if it had been", () => {
    const random = randomStream("2026-11-26", "policy");
    // Two actions, worth 0.2 and 0.6; logged with 0.7 and 0.3, the target takes them with 0.1 and 0.9.
    const units = Array.from({ length: 4_000 }, () =>
      Array.from({ length: 3 }, (): LoggedDecision => {
        const isFirst = random.next() < 0.7;
        const reward = random.next() < (isFirst ? 0.2 : 0.6) ? 1 : 0;
        const model = { logged: isFirst ? 0.3 : 0.5, target: 0.1 * 0.3 + 0.9 * 0.5 };
        return {
          propensity: isFirst ? 0.7 : 0.3,
          target: isFirst ? 0.1 : 0.9,
          reward,
          unsupported: 0,
          model,
        };
      }),
    );
    const got = offPolicy(sumsOf(units));
    for (const key of ["ips", "snips", "doublyRobust"] as const) {
      const { value, variance } = given(got[key]);
      expect(Math.abs(value - 0.56)).toBeLessThan(3 * Math.sqrt(variance));
    }
    expect(given(got.doublyRobust).variance).toBeLessThan(given(got.ips).variance);
    expect(got.effectiveUnits).toBeLessThan(4_000);
  });

  test("what the log says nothing of is refused", () => {
    const decision = { propensity: 0.5, target: 0.5, reward: 1, unsupported: 0 };
    const many = (one: LoggedDecision) => Array.from({ length: 200 }, () => [one]);
    expect(offPolicy(noOffPolicySums).ips).toEqual({ ok: false, reason: "no-units" });
    expect(offPolicy(sumsOf(many({ ...decision, unsupported: 0.2 }))).snips).toEqual({
      ok: false,
      reason: "no-support",
    });
    expect(offPolicy(sumsOf(many({ ...decision, propensity: 0 }))).ips).toEqual({
      ok: false,
      reason: "no-support",
    });
    expect(offPolicy(sumsOf(many(decision))).doublyRobust).toEqual({ ok: false, reason: "no-reward-model" });
    expect(offPolicy(sumsOf([...many(decision), [{ ...decision, propensity: 1e-6 }]])).ips).toEqual({
      ok: false,
      reason: "few-effective-units",
    });
  });
});

describe("dilution", () => {
  const mean = (values: readonly number[]) => crossMomentsOf(values.map((y) => [1, y] as const));
  const arm = (values: readonly number[], others: number) => ({
    triggered: mean(values),
    others: mean(Array.from({ length: others }, (_, i) => i % 5)),
  });

  test("of a mean it is the triggered effect times the trigger rate", () => {
    const got = given(dilutedEffect(arm([3, 4, 5, 6], 36), arm([2, 3, 4, 5], 36), 0.05));
    expect(got.triggerRate).toBe(0.1);
    expect(got.absolute.estimate).toBeCloseTo(0.1, 12);
    const variance = 0.01 * (2 * (5 / 3 / 4)) + (0.1 * 0.9) / 80;
    expect(got.absolute.standardError).toBeCloseTo(Math.sqrt(variance), 12);
  });

  test("no answer where an arm has nobody triggered, or there is no spread", () => {
    expect(dilutedEffect(arm([], 5), arm([1, 2], 5), 0.05)).toEqual({ ok: false, reason: "no-units" });
    expect(dilutedEffect(arm([1], 5), arm([1, 2], 5), 0.05)).toEqual({ ok: false, reason: "one-unit" });
    const flat = { triggered: mean([1, 1]), others: noCrossMoments };
    expect(dilutedEffect(flat, flat, 0.05)).toEqual({ ok: false, reason: "no-variance" });
    const nothing = {
      triggered: crossMomentsOf([
        [0, 1],
        [0, 2],
      ]),
      others: noCrossMoments,
    };
    expect(dilutedEffect(nothing, nothing, 0.05)).toEqual({ ok: false, reason: "zero-denominator" });
  });
});

describe("uniformity", () => {
  const random = randomStream("2026-11-26", "uniformity");
  const uniform = Array.from({ length: 1_000 }, () => random.next());

  test("uniform p-values pass, those of a test that errs too often do not", () => {
    const fair = given(uniformity(uniform));
    expect(fair.pValue).toBeGreaterThan(0.001);
    expect(fair.histogram.reduce((sum, count) => sum + count)).toBe(1_000);
    expect(given(uniformity(uniform.map((p) => p ** 1.5))).pValue).toBeLessThan(1e-10);
  });

  test("too few, a selection, or the same few values again and again are refused", () => {
    expect(uniformity(uniform.slice(0, 99))).toEqual({ ok: false, reason: "few-p-values" });
    expect(uniformity(uniform.map((p, i) => (i % 50 === 0 ? undefined : p)))).toEqual({
      ok: false,
      reason: "no-answers",
    });
    expect(uniformity(uniform.map((p) => Math.round(p * 20) / 20))).toEqual({
      ok: false,
      reason: "not-continuous",
    });
  });
});
