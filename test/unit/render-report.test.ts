import { describe, expect, test } from "vitest";
import { type AnalysisReport, renderReport } from "../../src/analysis/analysis.ts";
import { intervalBar } from "../../src/analysis/interval-bar.ts";

type MetricReport = AnalysisReport["metrics"][number];
type Comparison = MetricReport["comparisons"][number];

const kd: Comparison = {
  arm: "kd",
  versus: "control",
  absolute: { estimate: 0.06, ciLow: 0.02, ciHigh: 0.1 },
  relative: { estimate: 0.05, ciLow: 0.0167, ciHigh: 0.0833 },
  pValue: 0.004,
  pValueAdjusted: 0.008,
  method: "welch",
  cuped: null,
  alwaysValid: { ciLow: -0.01, ciHigh: 0.13, pValue: 0.2 },
};

const completions: MetricReport = {
  metric: "completions",
  role: "primary",
  type: "mean",
  goal: "increase",
  arms: [
    { arm: "control", units: 5012, mean: 1.2, standardError: 0.014 },
    { arm: "kd", units: 4970, mean: 1.26, standardError: 0.014 },
  ],
  comparisons: [kd],
};

const report: AnalysisReport = {
  experiment: "home-kd",
  phase: 1,
  asOf: "2026-11-22T13:00:00.000Z",
  alpha: 0.05,
  unit: "user",
  arms: [
    { arm: "control", units: 5012, impressions: 60_000 },
    { arm: "kd", units: 4970, impressions: 59_000 },
  ],
  srm: { expected: [0.5, 0.5], statistic: 0.177, pValue: 0.67, ok: true },
  metrics: [completions],
  excludedUnits: 0,
  unmatchedOutcomes: 0,
  lateOutcomes: 0,
  warnings: [],
};

/** The report with `changes` made to its one comparison. */
function withComparison(changes: Partial<Comparison>, metric: Partial<MetricReport> = {}): AnalysisReport {
  return { ...report, metrics: [{ ...completions, ...metric, comparisons: [{ ...kd, ...changes }] }] };
}

function verdictOf(one: AnalysisReport): string {
  const lines = renderReport(one).split("\n");
  return lines.find((line) => line.startsWith("Verdict"))?.slice("Verdict  ".length) ?? "";
}

describe("the report on a terminal", () => {
  test("says health, then the verdict, then the numbers, then how long they hold", () => {
    expect(renderReport(report)).toBe(`\
home-kd · phase 1 · unit user · as of 2026-11-22T13:00:00.000Z

Health   split ok, p 0.67: control 5,012 = 50.2 % (expected 50.0 %), kd 4,970 = 49.8 % (expected 50.0 %)
Verdict  kd is better than control on completions: +5.00 % (95 % interval +1.67 % to +8.33 %).

completions (primary, more is better)
┌─────────┬───────┬──────┬─────────┬────────────────────┬─────────────────┬─────────────────────────────────┐
│ arm     │ units │ mean │    lift │      95 % interval │        p (Holm) │      −8.33 % … 0 … +8.33 %      │
├─────────┼───────┼──────┼─────────┼────────────────────┼─────────────────┼─────────────────────────────────┤
│ control │ 5,012 │  1.2 │         │                    │                 │                                 │
│ kd      │ 4,970 │ 1.26 │ +5.00 % │ +1.67 % to +8.33 % │ 0.0040 (0.0080) │                ┊  ━━━━━━●━━━━━━ │
└─────────┴───────┴──────┴─────────┴────────────────────┴─────────────────┴─────────────────────────────────┘
  kd, always valid: difference −0.01 to +0.13, p 0.20

The 95 % intervals and p-values hold for one look, at the planned end of the experiment.
Who looks earlier or more often reads the always-valid intervals, which are wider for it.
`);
  });

  test("shows no line wider than a terminal of 120 columns", () => {
    const widths = renderReport(report)
      .split("\n")
      .map((line) => [...line].length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(120);
  });

  test("shows CUPED where there is one", () => {
    const { absolute, relative } = kd;
    const cuped = {
      covariate: "before",
      theta: 0.8,
      varianceReduction: 0.57,
      absolute: absolute ?? { estimate: 0, ciLow: 0, ciHigh: 0 },
      relative,
      pValue: 0.00001,
    };
    const text = renderReport(withComparison({ cuped }));
    expect(text).toContain(
      "kd, CUPED with before: +5.00 % (+1.67 % to +8.33 %), p < 0.0001, variance reduced by 57.0 %",
    );
  });

  test("repeats every warning", () => {
    expect(renderReport({ ...report, warnings: ["3 outcomes …", "1 unit …"] })).toContain(
      "! 3 outcomes …\n! 1 unit …\n",
    );
  });

  test("shows differences where there is no lift, and dashes where there is no test", () => {
    expect(renderReport(withComparison({ relative: null }))).toContain("+0.06");
    const none = { absolute: null, relative: null, pValue: null, pValueAdjusted: null, alwaysValid: null };
    const text = renderReport(withComparison(none));
    expect(text).toContain("–");
    expect(text).not.toMatch(/null|NaN|undefined/);
  });
});

describe("the verdict", () => {
  test("is about the goal: less can be better", () => {
    expect(verdictOf(withComparison({}, { goal: "decrease" }))).toMatch(
      /^kd is worse than control on completions/,
    );
    const fewer = { absolute: { estimate: -0.06, ciLow: -0.1, ciHigh: -0.02 } };
    expect(verdictOf(withComparison(fewer, { goal: "decrease" }))).toMatch(/^kd is better than control/);
    expect(verdictOf(withComparison(fewer))).toMatch(/^kd is worse than control/);
  });

  test("never says that arms are equal where no difference is shown", () => {
    const text = verdictOf(withComparison({ pValue: 0.4, pValueAdjusted: 0.8 }));
    expect(text).toMatch(/^No difference shown between kd and control on completions: .* p 0.80\.$/);
  });

  test("tells an interval that leaves zero out from one that does so after Holm's adjustment", () => {
    expect(verdictOf(withComparison({ pValue: 0.04, pValueAdjusted: 0.08 }))).toContain(
      "not after Holm's adjustment, p 0.080",
    );
  });

  test("refuses to decide on a broken split, whatever the metrics say", () => {
    const broken = { ...report, srm: { ...report.srm, pValue: 1e-9, ok: false } };
    expect(renderReport(broken)).toContain("split SAMPLE RATIO MISMATCH, p < 0.0001");
    expect(verdictOf(broken)).toMatch(/^Do not decide on these numbers/);
    expect(renderReport(broken)).not.toContain("kd is better");
  });

  test("has nothing to say without data", () => {
    const empty = {
      ...report,
      arms: report.arms.map((arm) => ({ ...arm, units: 0 })),
      srm: { ...report.srm, statistic: null, pValue: null },
    };
    expect(verdictOf(empty)).toBe("Nothing can be said: there is no data yet.");
    expect(renderReport(empty)).toContain("split not testable yet");
  });

  test("points at a guardrail that got worse", () => {
    const skips: MetricReport = {
      ...completions,
      metric: "skips",
      role: "guardrail",
      goal: "decrease",
      comparisons: [{ ...kd, pValueAdjusted: null }],
    };
    expect(renderReport({ ...report, metrics: [completions, skips] })).toContain(
      "Watch out: kd is worse than control on the guardrail metric skips: +5.00 %",
    );
  });
});

describe("the interval bar", () => {
  test("draws the interval to scale around zero", () => {
    expect(intervalBar({ estimate: 0.5, ciLow: 0, ciHigh: 1 }, 1)).toBe(
      `${" ".repeat(15)}┿${"━".repeat(7)}●${"━".repeat(7)}`,
    );
    expect(intervalBar({ estimate: -1, ciLow: -1, ciHigh: -1 }, 1)).toBe(
      `●${" ".repeat(14)}┊${" ".repeat(15)}`,
    );
  });

  test("is as wide for any interval", () => {
    for (const reach of [0, 1e-9, 1, 5]) {
      expect(intervalBar({ estimate: 0, ciLow: -reach, ciHigh: reach }, reach)).toHaveLength(31);
    }
  });
});
