/** The analysis of logs that are small enough to be worked out by hand; the arithmetic stands beside each number. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { Experiment, Metric } from "../../src/domain/experiment.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { renderReport } from "../../src/report/report.ts";
import {
  completions,
  counterfactualOf,
  experimentOf,
  impressionOf,
  outcomeOf,
} from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function analysisOf(records: readonly LogRecord[], changes: Partial<Experiment> = {}) {
  const asOf = new Date("2026-11-22T12:00:00.000Z");
  return analysisOfRecords(experimentOf(changes), records, asOf);
}

describe("a log worked out by hand", () => {
  const seconds: Metric = {
    ...completions,
    id: "seconds",
    aggregate: "sum",
    outcome: "play",
    role: "guardrail",
  };
  const clicked: Metric = {
    ...completions,
    id: "clicked",
    type: "proportion",
    outcome: "click",
    aggregate: "any",
    role: "secondary",
  };

  /** As many completions of the request's items, one each. */
  const completed = (requestId: string, count: number): LogRecord[] =>
    ["t1", "t2", "t3"].slice(0, count).map((item) => outcomeOf(`${requestId}-${item}`, requestId, item));

  /** Completions by unit: control 0, 1, 2; kd 2, 3, 4. */
  const counted: readonly LogRecord[] = [
    impressionOf("a1", "control-0", "control"),
    impressionOf("a2", "control-1", "control"),
    ...completed("a2", 1),
    // Two requests of one unit are one unit.
    impressionOf("a3", "control-2", "control"),
    impressionOf("a4", "control-2", "control"),
    ...completed("a3", 1),
    ...completed("a4", 1),
    impressionOf("b1", "kd-2", "kd"),
    ...completed("b1", 2),
    // Answered without its model: it stays in its arm.
    impressionOf("b2", "kd-3", "kd", ["t1", "t2", "t3"], { model: undefined }),
    ...completed("b2", 3),
    impressionOf("b3", "kd-4", "kd"),
    impressionOf("b4", "kd-4", "kd"),
    ...completed("b3", 3),
    ...completed("b4", 1),
    // Played: control 0, 10, 20; kd 10, 20, 30. Clicked: control 1 of 3, kd 2 of 3, one of them twice.
    outcomeOf("p1", "a2", "t1", "play", 10),
    outcomeOf("p2", "a3", "t1", "play", 12.5),
    outcomeOf("p3", "a4", "t1", "play", 7.5),
    outcomeOf("p4", "b1", "t1", "play", 10),
    outcomeOf("p5", "b2", "t1", "play", 20),
    outcomeOf("p6", "b4", "t1", "play", 30),
    outcomeOf("c1", "a1", "t1", "click"),
    outcomeOf("c2", "b1", "t1", "click"),
    outcomeOf("c3", "b4", "t1", "click"),
    outcomeOf("c4", "b4", "t2", "click"),
    outcomeOf("skip", "a1", "t1", "skip"),
  ];

  const leftOut: readonly LogRecord[] = [
    impressionOf("o1", "overridden", "kd", ["t1", "t2", "t3"], { assignment: { overridden: true } }),
    ...completed("o1", 3),
    impressionOf("f1", "kd-2", "control", ["t1", "t2", "t3"], { assignment: { phase: 2 } }),
    impressionOf("f2", "later", "kd", ["t1", "t2", "t3"], { assignment: { phase: 2 } }),
    ...completed("f1", 3),
    ...completed("f2", 3),
    impressionOf("x1", "crossed", "control"),
    impressionOf("x2", "crossed", "kd"),
    ...completed("x1", 3),
    ...completed("x2", 3),
    // The same outcome again, on another item.
    outcomeOf("a2-t1", "a2", "t3"),
    // Not shown, and of nobody.
    outcomeOf("n1", "a1", "t9"),
    outcomeOf("n2", "unknown", "t1"),
  ];

  const weighted = {
    arms: experimentOf().arms.map((arm) => ({ ...arm, weight: arm.control ? 1 : 2 })),
    metrics: [completions, seconds, clicked],
  };
  const analysis = (): Promise<AnalysisReport> => analysisOf([...counted, ...leftOut], weighted);

  test("units and impressions of each arm are those that count", async () => {
    expect((await analysis()).arms).toEqual([
      { arm: "control", units: 3, impressions: 4 },
      { arm: "kd", units: 3, impressions: 4 },
    ]);
  });

  test("means and standard errors are over units, one without outcomes counting with 0", async () => {
    const { metrics } = await analysis();
    // s^2 = (1 + 0 + 1) / 2 = 1 in both arms, SE = sqrt(1 / 3); seconds are ten times as far apart.
    const se = expect.closeTo(Math.sqrt(1 / 3), 12);
    const ofSeconds = expect.closeTo(10 * Math.sqrt(1 / 3), 12);
    // 1 of 3 or 2 of 3: s^2 = (1 / 3) (2 / 3) 3 / 2 = 1 / 3, SE = 1 / 3.
    const third = expect.closeTo(1 / 3, 12);
    expect(metrics.map(({ metric, arms }) => ({ metric, arms }))).toEqual([
      {
        metric: "completions",
        arms: [
          { arm: "control", units: 3, mean: 1, standardError: se },
          { arm: "kd", units: 3, mean: 3, standardError: se },
        ],
      },
      {
        metric: "seconds",
        arms: [
          { arm: "control", units: 3, mean: 10, standardError: ofSeconds },
          { arm: "kd", units: 3, mean: 20, standardError: ofSeconds },
        ],
      },
      {
        metric: "clicked",
        arms: [
          { arm: "control", units: 3, mean: third, standardError: third },
          { arm: "kd", units: 3, mean: expect.closeTo(2 / 3, 12), standardError: third },
        ],
      },
    ]);
  });

  test("the difference, its lift and its p-value", async () => {
    const { metrics } = await analysis();
    // Equal variances and sizes: 4 degrees of freedom; the tables have 2.776 for 97.5 %.
    const critical = 2.7764451051977987;
    const half = critical * Math.sqrt(2 / 3);
    // Var = (1/3) / 1^2 + 3^2 (1/3) / 1^4 = 10 / 3.
    const halfOfLift = critical * Math.sqrt(10 / 3);
    // t = 2 / sqrt(2 / 3) = sqrt(6); with 4 degrees of freedom
    // P(|T| < t) = (3 / 4) t / sqrt(1 + t^2 / 4) (1 - t^2 / (12 + 3 t^2)) = 0.6 sqrt(2.4).
    const pValue = expect.closeTo(1 - 0.6 * Math.sqrt(2.4), 12);
    expect(metrics[0]?.comparisons).toEqual([
      {
        arm: "kd",
        versus: "control",
        absolute: {
          estimate: 2,
          ciLow: expect.closeTo(2 - half, 9),
          ciHigh: expect.closeTo(2 + half, 9),
        },
        relative: {
          estimate: 2,
          ciLow: expect.closeTo(2 - halfOfLift, 9),
          ciHigh: expect.closeTo(2 + halfOfLift, 9),
        },
        pValue,
        // One comparison of a primary metric is a family of its own.
        pValueAdjusted: pValue,
        method: "welch",
        cuped: null,
        // Control may be zero: of the lifts only those between are ruled out.
        fieller: expect.objectContaining({ kind: "outside" }),
        // Nobody planned a look: what decides holds whenever one looks, and is one test of its family.
        adjusted: { method: "holm", pValue: metrics[0]?.comparisons[0]?.alwaysValid?.pValue },
        alwaysValid: expect.objectContaining({ pValue: expect.any(Number) }),
      },
    ]);
    expect(metrics.slice(1).map(({ comparisons }) => comparisons[0]?.pValueAdjusted)).toEqual([null, null]);
  });

  test("the split is held against the weights", async () => {
    // 3 and 3 where 1 : 2 promises 2 and 4: 1 / 2 + 1 / 4. P(X >= 0.75) = erfc(sqrt(0.375)), Python's math.erfc.
    expect((await analysis()).srm).toEqual({
      expected: [1 / 3, 2 / 3],
      statistic: expect.closeTo(0.75, 12),
      pValue: expect.closeTo(0.3864762307712327, 12),
      ok: true,
    });
  });

  test("what was left out is counted and said", async () => {
    const report = await analysis();
    expect(report.excludedUnits).toBe(1);
    expect(report.unmatchedOutcomes).toBe(2);
    const nearZero = (metric: string): string =>
      `${metric}: control is within five standard errors of zero, so read the absolute difference: the relative interval is rough there.`;
    expect(report.warnings).toEqual([
      "1 unit was seen in more than one arm: left out.",
      "2 outcomes answer no known request, or an item that was not shown: not counted.",
      "2 impressions belong to other phases of the experiment: not counted.",
      "Arm kd: 1 of 4 impressions were answered without its model; they stay in the arm.",
      nearZero("completions"),
      nearZero("seconds"),
      nearZero("clicked"),
    ]);
  });

  test("no number depends on what was left out, nor on the order of outcomes and impressions", async () => {
    const { arms, srm, metrics } = await analysis();
    const alone = await analysisOf(counted, weighted);
    const reversed = await analysisOf([...counted].reverse(), weighted);
    for (const other of [alone, reversed]) {
      expect({ arms: other.arms, srm: other.srm, metrics: other.metrics }).toEqual({ arms, srm, metrics });
    }
    expect(alone).toMatchObject({ excludedUnits: 0, unmatchedOutcomes: 0 });
  });
});

/** 400 units, of which kd got `treated`; it is far better. */
function split(treated: number): { unit: string; arm: string; completions: number }[] {
  return Array.from({ length: 400 }, (_, i) => {
    const arm = i < treated ? "kd" : "control";
    return { unit: `u${i}`, arm, completions: (arm === "kd" ? 1 : 0) + (i % 2) };
  });
}

const refusal = "Do not decide on these numbers: the arms did not get the units that their weights promise.";

describe("a split of 70 to 30 under equal weights", () => {
  test("is found in a log", async () => {
    const report = await analysisOf(
      split(120).flatMap(({ unit, arm, completions: count }) => [
        impressionOf(`r-${unit}`, unit, arm),
        ...["t1", "t2"].slice(0, count).map((item) => outcomeOf(`${unit}-${item}`, `r-${unit}`, item)),
      ]),
    );
    expect(report.arms.map(({ units }) => units)).toEqual([280, 120]);
    // 80^2 / 200 in both arms; P(X >= 64) = erfc(sqrt(32)), Python's math.erfc.
    expect(report.srm.statistic).toBeCloseTo(64, 12);
    expect((report.srm.pValue ?? Number.NaN) / 1.2441921148543513e-15).toBeCloseTo(1, 9);
    expect(report.srm.ok).toBe(false);
    expect(report.warnings).toContain(
      "The arms did not get the units that their weights promise (SRM): find out why before reading any metric.",
    );
    expect(renderReport(report)).toContain(refusal);
  });

  test.each([
    { treated: 120, code: 3, verdicts: [refusal] },
    { treated: 200, code: 0, verdicts: [expect.stringMatching(/^kd is better than control on y: \+200 % /)] },
  ])("of a table: $treated of 400 treated, exit code $code", async ({ treated, code, verdicts }) => {
    const file = join(await temporaryFolder(), "split.csv");
    const rows = split(treated).map((row) => `${row.unit},${row.arm},${row.completions}\n`);
    await writeFile(file, `u,arm,y\n${rows.join("")}`);
    const flags = "--unit u --arm arm --control control --metric y=y:mean".split(" ");
    const command = [resolve("src/main.ts"), "analyze", "--table", file, ...flags];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    expect(await once(child, "close")).toEqual([code, null]);
    const said = [...stdout.matchAll(/^Verdict {2}(.*)$|^(.*is (?:better|worse) than.*)$/gm)];
    expect(said.map(([, verdict, other]) => verdict ?? other)).toEqual(verdicts);
  });
});

test("what other arms would have shown is no exposure, and changes no number of the report", async () => {
  const records = [impressionOf("r1", "u1", "control"), outcomeOf("o1", "r1", "t1")];
  expect(await analysisOf([...records, counterfactualOf("r1")])).toEqual(await analysisOf(records));
});
