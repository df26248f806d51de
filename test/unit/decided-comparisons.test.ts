/** What a report's verdict makes of estimates that can be worked out by hand: plans, margins and several arms. */
import { describe, expect, test } from "vitest";
import { assembleReport } from "../../src/analysis/assemble.ts";
import { horizonOf } from "../../src/analysis/plan.ts";
import type { AnalysisPlan } from "../../src/domain/experiment.ts";
import type { Measure } from "../../src/measurement/measure.ts";
import { directionOf } from "../../src/report/direction.ts";

const asOf = new Date("2026-11-26T00:00:00.000Z");
const unitsEach = 5_000;
const ended: AnalysisPlan = { kind: "fixed", units: 2 * unitsEach };

type Value = readonly [value: number, standardError: number];

/** Control first. */
function measureOf(head: Partial<Measure>, values: readonly Value[]): Measure {
  return {
    metric: "completions",
    type: "mean",
    role: "primary",
    goal: "increase",
    cuped: undefined,
    arms: values.map(([value, standardError]) => ({
      units: unitsEach,
      value,
      estimate: { ok: true, value: { units: unitsEach, value, variance: standardError ** 2 } },
    })),
    ...head,
  };
}

function reportOf(measures: readonly Measure[], plan: AnalysisPlan) {
  const arms = measures[0]?.arms.map((_, i) => (i === 0 ? "control" : `kd${i}`)) ?? [];
  const family = measures.filter(({ role }) => role === "primary").length * (arms.length - 1);
  return assembleReport({
    experiment: "home-kd",
    phase: 1,
    asOf,
    alpha: 0.05,
    unit: "user",
    arms: arms.map((arm) => ({ arm, units: unitsEach, impressions: unitsEach })),
    weights: arms.map(() => 1),
    control: 0,
    horizon: horizonOf(plan, unitsEach * arms.length, asOf, 0.05, family),
    measures,
    pasts: [],
    skewed: [],
    strata: { days: [], surfaces: [], latencies: [] },
    exposed: [],
    timings: [],
    excludedUnits: 0,
    unmatchedOutcomes: 0,
    lateOutcomes: 0,
    warnings: [],
  });
}

describe("a guardrail with a margin", () => {
  const better = measureOf({}, [
    [1, 0.01],
    [1.1, 0.01],
  ]);
  const errors = (control: Value, treated: Value): Measure =>
    measureOf({ metric: "errors", role: "guardrail", goal: "decrease", margin: 0.1 }, [control, treated]);

  test("holds up a better arm where nothing can be said of it, and says so", () => {
    for (const of of [errors([0, 0], [0.001, 0.0007]), errors([0, 0], [0, 0])]) {
      const { verdict } = reportOf([better, of], ended);
      expect(verdict?.kind).toBe("open");
      expect(verdict?.reasons).toContain("guardrail errors: its margin cannot be tested (see the warnings)");
    }
  });

  test("lets a better arm be better where it is kept, and makes it worse where control is zero and it is not", () => {
    expect(reportOf([better, errors([1, 0.01], [1, 0.01])], ended).verdict?.kind).toBe("better");
    expect(reportOf([better, errors([0, 0], [0.1, 0.01])], ended).verdict?.kind).toBe("worse");
  });
});

test("a margin that any of several arms may keep has a part of alpha for each", () => {
  // The slack of 0.0255 is 1.8 of its standard errors, which are those of two arms of 0.01 each: beyond the 5 % point of one
  // arm, not beyond the 2.5 % point of two.
  const [control, kept, far]: readonly Value[] = [
    [1, 0.01 / 0.9],
    [0.9255, 0.01],
    [0.85, 0.01],
  ];
  const keptAmong = (...arms: (Value | undefined)[]) => {
    const values = [control, ...arms].filter((value) => value !== undefined);
    const [metric] = reportOf([measureOf({ margin: 0.1 }, values)], ended).metrics;
    return metric?.comparisons[0]?.notWorse?.ok;
  };
  expect(keptAmong(kept)).toBe(true);
  expect(keptAmong(kept, far)).toBe(false);
});

test("before a fixed plan's end a margin is judged by what holds whenever one looks", () => {
  const measure = measureOf({ margin: 0.1, minimumEffect: 0.02 }, [
    [1, 0.02],
    [0.97, 0.02],
  ]);
  const comparisonOf = (plan: AnalysisPlan) => reportOf([measure], plan).metrics[0]?.comparisons[0];
  const early: AnalysisPlan = { kind: "fixed", units: 100_000 };
  expect(comparisonOf(ended)?.notWorse?.ok).toBe(true);
  expect(comparisonOf(early)?.notWorse?.ok).toBe(false);
  expect(comparisonOf(ended)?.minimumEffect?.state).toBe("ruled-out");
  expect(comparisonOf(early)?.minimumEffect?.state).toBe("open");
});

describe("the interval of a group-sequential verdict", () => {
  const sentenceOf = (treated: number, plan: AnalysisPlan): string =>
    reportOf(
      [
        measureOf({}, [
          [1, 0.01],
          [treated, 0.01],
        ]),
      ],
      plan,
    ).verdict?.sentence ?? "";
  const atHalf: AnalysisPlan = { kind: "group-sequential", units: 4 * unitsEach, looks: [0.5, 1] };

  test("holds zero where the bound is not crossed, though that of one look does not", () => {
    // 2.3 standard errors; the bound of O'Brien and Fleming's spending is 2.963 at half of the information.
    const difference = 2.3 * Math.sqrt(2) * 0.01;
    expect(sentenceOf(1 + difference, atHalf)).toBe(
      "No difference shown between kd1 and control on completions: +3.25 % (difference +0.03253, 95 % interval " +
        "−0.00937 to +0.07442, over all looks of the plan).",
    );
  });

  test("is that of the bound where it is crossed, and that of any look before the first", () => {
    expect(sentenceOf(1.06, atHalf)).toContain("over all looks of the plan");
    const before: AnalysisPlan = { ...atHalf, units: 40 * unitsEach };
    expect(sentenceOf(1.06, before)).toContain("however often one looks");
  });
});

test("a comparison's direction is that of the estimate that decided", () => {
  const measure = measureOf(
    {
      cuped: {
        covariate: "past",
        isNamed: true,
        adjusted: {
          ok: true,
          value: {
            thetas: [1],
            varianceReduction: 0.9,
            arms: [
              { units: unitsEach, value: 1, variance: 1e-4 },
              { units: unitsEach, value: 0.9, variance: 1e-4 },
            ],
          },
        },
      },
    },
    [
      [1, 0.1],
      [1.05, 0.1],
    ],
  );
  const { metrics, verdict } = reportOf([measure], ended);
  const [metric] = metrics;
  const [comparison] = metric?.comparisons ?? [];
  if (metric === undefined || comparison === undefined) throw new Error("no comparison");
  expect(verdict?.kind).toBe("worse");
  expect(directionOf(metric, comparison, 0.05)).toBe("worse");
});
