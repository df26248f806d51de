import { describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

function analyze(records: Iterable<LogRecord>, experiment: Experiment = experimentOf()) {
  const asOf = new Date("2026-11-22T13:00:00.000Z");
  return analysisOfRecords(experiment, records, asOf);
}

/** One impression for each unit, and as many outcomes as its value says, on the item that stands first. */
function unitsWith(arm: string, counts: readonly number[], type = "completion", value = 1): LogRecord[] {
  return counts.flatMap((count, i) => {
    const unit = `${arm}-${i}`;
    return [
      impressionOf(`r-${unit}`, unit, arm),
      ...Array.from({ length: count }, (_, j) => outcomeOf(`o-${unit}-${j}`, `r-${unit}`, "t1", type, value)),
    ];
  });
}

const untested = (id: string, name: string, detail: unknown) => ({
  ...{ id, name, ok: null, pValue: null },
  ...{ detail, likelyCause: null },
});

describe("a small log, worked out by hand", () => {
  // control 3, 1, 2, 0: mean 1.5, variance (2.25 + 0.25 + 0.25 + 2.25) / 3 = 5/3, of the mean 5/12.
  // kd      4, 2, 3, 3: mean 3, variance (1 + 1 + 0 + 0) / 3 = 2/3, of the mean 2/12.
  // Difference 1.5, standard error sqrt(7/12), t = 1.96396; degrees of freedom
  // (7/12)^2 / ((5/12)^2 / 3 + (2/12)^2 / 3) = 147/29, whose 97.5 % point is 2.5600980 and two-sided p 0.1059650.
  // Lift 1.5 / 1.5 = 1, variance (2/12) / 1.5^2 + 3^2 (5/12) / 1.5^4 = 22/27.
  const records = [...unitsWith("control", [3, 1, 2, 0]), ...unitsWith("kd", [4, 2, 3, 3])];

  test("is the whole report", async () => {
    const report = await analyze(records);
    const half = 2.5600980148085464 * Math.sqrt(7 / 12);
    const halfLift = 2.5600980148085464 * Math.sqrt(22 / 27);
    const squared = 2.5600980148085464 ** 2;
    const [treated, control] = [9 - (squared * 2) / 12, 2.25 - (squared * 5) / 12];
    const fiellerOf = (side: number) => (4.5 + side * Math.sqrt(4.5 ** 2 - control * treated)) / control - 1;
    expect(report).toEqual({
      experiment: "home-kd",
      phase: 1,
      asOf: "2026-11-22T13:00:00.000Z",
      alpha: 0.05,
      unit: "user",
      arms: [
        { arm: "control", units: 4, impressions: 4 },
        { arm: "kd", units: 4, impressions: 4 },
      ],
      srm: { expected: [0.5, 0.5], statistic: 0, pValue: 1, ok: true },
      verdict: {
        kind: "too-early",
        sentence: "Too early for a verdict.",
        reasons: [
          "Too few units yet: completions has 4 of 50 units in control, 4 of 50 units in kd. Look again once they are there.",
        ],
      },
      health: {
        ok: true,
        checks: [
          {
            id: "srm-phase",
            name: "Split of the phase",
            ok: true,
            pValue: 1,
            detail: "control 4, kd 4",
            likelyCause: null,
          },
          untested("srm-day", "Split by day of first exposure", "0 of 1 can be tested"),
          untested("srm-surface", "Split by surface", "0 of 1 can be tested"),
          untested("srm-latency", "Split by latency before the model", "0 of 1 can be tested"),
          {
            id: "units-in-several-arms",
            name: "Units in several arms",
            ok: true,
            pValue: null,
            detail: "0 of 8 units",
            likelyCause: null,
          },
          {
            id: "exposure-loss",
            name: "Exposure loss",
            ok: true,
            pValue: null,
            detail: expect.stringContaining("control 0 of 4, kd 0 of 4"),
            likelyCause: null,
          },
          untested(
            "pre-period",
            "A/A check before the experiment",
            "0 comparisons of outcomes before the first exposure",
          ),
          untested("covariate-balance", "Covariate balance", "0 comparisons of covariates"),
          {
            ...untested(
              "enough-units",
              "Enough units",
              "completions has 4 of 50 units in control, 4 of 50 units in kd",
            ),
            likelyCause: "more units are needed before an average of values so skewed is nearly normal",
          },
        ],
      },
      plan: { kind: "always-valid", plannedUnits: null, units: 8, plannedEnd: null, ended: false },
      metrics: [
        {
          metric: "completions",
          role: "primary",
          type: "mean",
          goal: "increase",
          definition: "Per unit, the number of completion outcomes.",
          arms: [
            { arm: "control", units: 4, mean: 1.5, standardError: expect.closeTo(Math.sqrt(5 / 12), 12) },
            { arm: "kd", units: 4, mean: 3, standardError: expect.closeTo(Math.sqrt(2 / 12), 12) },
          ],
          comparisons: [
            {
              arm: "kd",
              versus: "control",
              absolute: {
                estimate: 1.5,
                ciLow: expect.closeTo(1.5 - half, 9),
                ciHigh: expect.closeTo(1.5 + half, 9),
              },
              relative: {
                estimate: 1,
                ciLow: expect.closeTo(1 - halfLift, 9),
                ciHigh: expect.closeTo(1 + halfLift, 9),
              },
              pValue: expect.closeTo(0.10596497816687375, 9),
              pValueAdjusted: expect.closeTo(0.10596497816687375, 9),
              method: "welch",
              cuped: null,
              // n rho^2 = 8 x 7.936 / 10,000 = 0.0063488: p = sqrt(1.0063488) exp(-t^2 0.0063488 / 2.0126976).
              alwaysValid: {
                ciLow: expect.closeTo(-22.049321, 5),
                ciHigh: expect.closeTo(25.049321, 5),
                pValue: expect.closeTo(0.991038, 5),
              },
              // Without a plan the always-valid p-value decides, alone in its family.
              adjusted: { pValue: expect.closeTo(0.991038, 5), method: "holm" },
              // t = 2.56 standard errors of control are more than its mean: (C^2 - t^2 Var(C)) is below 0.
              fieller: {
                kind: "outside",
                estimate: 1,
                ciLow: expect.closeTo(fiellerOf(1), 9),
                ciHigh: expect.closeTo(fiellerOf(-1), 9),
              },
            },
          ],
        },
      ],
      excludedUnits: 0,
      unmatchedOutcomes: 0,
      lateOutcomes: 0,
      tradeoff: {
        metric: "completions",
        costUnit: "ms of the model's time",
        points: [
          { arm: "control", quality: 1.5, latencyMs: 0, cost: 0 },
          { arm: "kd", quality: 3, latencyMs: 0, cost: 0 },
        ],
        verdict: null,
      },
      warnings: [expect.stringContaining("control is within five standard errors of zero")],
    });
  });

  test("does not depend on the order of the records", async () => {
    expect(await analyze(records.toReversed())).toEqual(await analyze(records));
  });

  test("counts, adds up or asks whether there was any, as the metric says", async () => {
    const metrics = [
      completions,
      { ...completions, id: "played", aggregate: "sum" as const, outcome: "play" },
      { ...completions, id: "any-play", aggregate: "any" as const, outcome: "play" },
      {
        ...completions,
        id: "players",
        type: "proportion" as const,
        aggregate: "any" as const,
        outcome: "play",
      },
    ];
    const plays = [
      ...unitsWith("control", [2, 0], "play", 1.5),
      ...unitsWith("kd", [0, 1, 3, 0], "play", 0.25),
    ];
    const report = await analyze(plays, experimentOf({ metrics }));
    const means = report.metrics.map((metric) => metric.arms.map((arm) => arm.mean));
    expect(means).toEqual([
      [0, 0],
      [1.5, 0.25],
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
  });
});

describe("what counts", () => {
  test("a unit without outcomes counts with 0, and one unit's requests are one row", async () => {
    const report = await analyze([
      impressionOf("r1", "u1", "control"),
      impressionOf("r2", "u1", "control"),
      impressionOf("r3", "u2", "control"),
      outcomeOf("o1", "r1", "t1"),
      outcomeOf("o2", "r2", "t2"),
    ]);
    expect(report.arms[0]).toEqual({ arm: "control", units: 2, impressions: 3 });
    expect(report.metrics[0]?.arms[0]).toMatchObject({ units: 2, mean: 1 });
  });

  test("outcomes of unknown requests and of items that were not shown are unmatched, and said so", async () => {
    const report = await analyze([
      impressionOf("r1", "u1", "control", ["t1"]),
      outcomeOf("o1", "r1", "t1"),
      outcomeOf("o2", "r1", "t9"),
      outcomeOf("o3", "nowhere", "t1"),
    ]);
    expect(report.metrics[0]?.arms[0]?.mean).toBe(1);
    expect(report.unmatchedOutcomes).toBe(2);
    expect(report.warnings).toContainEqual(expect.stringMatching(/^2 outcomes answer no known request/));
  });

  test("an outcome that stands before its impression is matched", async () => {
    const report = await analyze([outcomeOf("o1", "r1", "t1"), impressionOf("r1", "u1", "control")]);
    expect(report.metrics[0]?.arms[0]?.mean).toBe(1);
    expect(report.unmatchedOutcomes).toBe(0);
  });

  test("a request or outcome that is logged twice counts once, as it first came", async () => {
    const report = await analyze(
      [
        impressionOf("r1", "u1", "control"),
        impressionOf("r1", "u1", "kd"),
        outcomeOf("o1", "r1", "t1", "play", 2),
        outcomeOf("o1", "r1", "t1", "play", 40),
      ],
      experimentOf({ metrics: [{ ...completions, outcome: "play", aggregate: "sum" }] }),
    );
    expect(report.arms.map((arm) => arm.impressions)).toEqual([1, 0]);
    expect(report.metrics[0]?.arms[0]?.mean).toBe(2);
    expect(report.excludedUnits).toBe(0);
  });

  test("a unit that was seen in two arms is left out and reported", async () => {
    const report = await analyze([
      ...unitsWith("control", [1, 1]),
      ...unitsWith("kd", [1, 1]),
      impressionOf("x1", "kd-0", "control"),
    ]);
    expect(report.arms.map((arm) => arm.units)).toEqual([2, 1]);
    expect(report.excludedUnits).toBe(1);
    expect(report.warnings).toContainEqual("1 unit was seen in more than one arm: left out.");
  });

  test("overridden impressions and other phases are not part of it, nor are outcomes on them unmatched", async () => {
    const report = await analyze(
      [
        impressionOf("r1", "u1", "control", ["t1"], { assignment: { phase: 2 } }),
        impressionOf("r2", "u2", "kd", ["t1"], { assignment: { phase: 1 } }),
        impressionOf("r3", "u3", "kd", ["t1"], { assignment: { phase: 2, overridden: true } }),
        impressionOf("r4", "u4", "kd", ["t1"], { assignment: { phase: 2, experiment: "radio-kd" } }),
        outcomeOf("o2", "r2", "t1"),
        outcomeOf("o3", "r3", "t1"),
        outcomeOf("o4", "r4", "t1"),
      ],
      experimentOf({ phase: 2 }),
    );
    expect(report.phase).toBe(2);
    expect(report.arms.map((arm) => arm.units)).toEqual([1, 0]);
    expect(report.unmatchedOutcomes).toBe(0);
    expect(report.warnings).toContainEqual(expect.stringContaining("1 impression belongs to other phases"));
  });

  test("an impression without its model stays in its arm, and a warning says how many there are", async () => {
    const report = await analyze([
      ...unitsWith("control", [1, 2]),
      ...unitsWith("kd", [1]),
      impressionOf("r", "slow", "kd", ["t1"], { model: undefined }),
    ]);
    expect(report.arms[1]).toEqual({ arm: "kd", units: 2, impressions: 2 });
    expect(report.warnings).toContainEqual(expect.stringContaining("Arm kd: 1 of 2 impressions"));
  });

  test("what an item, a unit or an outcome type is called changes nothing", async () => {
    const odd = "';DROP TABLE units;--\u0000\n\"☃";
    const metrics = [{ ...completions, outcome: odd }];
    const report = await analyze(
      [impressionOf(odd, odd, "control", [odd, "t"]), outcomeOf(odd, odd, odd, odd)],
      experimentOf({ metrics }),
    );
    expect(report.metrics[0]?.arms[0]).toMatchObject({ units: 1, mean: 1 });
  });
});

describe("where nothing can be said", () => {
  test("an empty log says so, with nulls and no NaN", async () => {
    const report = await analyze([]);
    expect(report.warnings).toEqual(["No data: the log holds no impression of home-kd in phase 1."]);
    expect(report.srm).toEqual({ expected: [0.5, 0.5], statistic: null, pValue: null, ok: true });
    expect(report.metrics[0]?.comparisons[0]).toMatchObject({ absolute: null, relative: null, pValue: null });
    expect(JSON.stringify(report)).not.toContain("NaN");
  });

  test.each([
    ["one unit in an arm", [1, 2, 3], [4], "arm kd has one unit only"],
    ["an empty arm", [1, 2, 3], [], "arm kd has no units yet"],
    ["no spread in either arm", [1, 1, 1], [1, 1, 1], "no test"],
  ])("%s gives nulls and a sentence", async (_, control, treated, sentence) => {
    const report = await analyze([...unitsWith("control", control), ...unitsWith("kd", treated)]);
    expect(report.metrics[0]?.comparisons[0]).toMatchObject({
      absolute: null,
      relative: null,
      pValue: null,
      pValueAdjusted: null,
      alwaysValid: null,
    });
    expect(report.warnings).toContainEqual(expect.stringContaining(sentence));
  });

  test("a control of zero has a difference, but no lift", async () => {
    const report = await analyze([...unitsWith("control", [0, 0, 0]), ...unitsWith("kd", [1, 2, 0])]);
    const comparison = report.metrics[0]?.comparisons[0];
    expect(comparison?.absolute?.estimate).toBe(1);
    expect(comparison?.relative).toBeNull();
    expect(report.warnings).toContainEqual(expect.stringContaining("no relative lift"));
  });
});

test("a broken split is an SRM, against the weights of the document", async () => {
  const ones = (count: number): number[] => Array.from({ length: count }, (_, i) => i % 2);
  const records = [...unitsWith("control", ones(400)), ...unitsWith("kd", ones(100))];
  const [control, kd] = experimentOf().arms.map((arm) => ({ ...arm, weight: arm.control ? 4 : 1 }));
  expect((await analyze(records)).srm).toMatchObject({ ok: false, statistic: 180 });
  const weighted = experimentOf({ arms: [control, kd].filter((arm) => arm !== undefined) });
  expect((await analyze(records, weighted)).srm).toMatchObject({
    ok: true,
    statistic: 0,
    expected: [0.8, 0.2],
  });
});

test("Holm adjusts over the primary metrics and arms together, and over no other", async () => {
  const arms = [
    ...experimentOf().arms,
    { id: "kd-2", control: false, weight: 1, model: { name: "home-kd-2" } },
  ];
  const metrics = [
    completions,
    { ...completions, id: "completed", aggregate: "any" as const },
    { ...completions, id: "watched", role: "guardrail" as const },
  ];
  const report = await analyze(
    [
      ...unitsWith("control", [0, 1, 2, 1, 0, 2]),
      ...unitsWith("kd", [2, 4, 3, 3, 2, 0]),
      ...unitsWith("kd-2", [0, 0, 1, 0, 2, 0]),
    ],
    experimentOf({ arms, metrics }),
  );
  const [first, second, third] = report.metrics.map((metric) => metric.comparisons);
  const family = [...(first ?? []), ...(second ?? [])].map((comparison) => comparison.pValue ?? 1);
  const smallest = Math.min(...family);
  expect(family).toHaveLength(4);
  expect(first?.[0]?.pValue).toBe(smallest);
  expect(first?.[0]?.pValueAdjusted).toBeCloseTo(4 * smallest, 12);
  expect(third?.map((comparison) => comparison.pValueAdjusted)).toEqual([null, null]);
  expect(third?.[0]?.pValue).toBe(smallest);
});
