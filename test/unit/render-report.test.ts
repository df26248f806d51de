import { describe, expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import { intervalBar } from "../../src/report/interval-bar.ts";
import { renderReport } from "../../src/report/report.ts";
import { madeReport } from "../support/made-reports.ts";

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
  test("says the verdict, then health, then the numbers, then what stands behind and how long they hold", () => {
    expect(renderReport(report)).toBe(`\
home-kd · phase 1 · unit user · as of 2026-11-22T13:00:00.000Z

Verdict  kd is better than control on completions: +5.00 % (95 % interval +1.67 % to +8.33 %).
Health   split ok, p 0.67: control 5,012 = 50.2 % (expected 50.0 %), kd 4,970 = 49.8 % (expected 50.0 %)

┌─────────────────┬─────────┬─────┬──────┬─────────┬────────────────────┬─────────────────┬───────────────────────┐
│ metric          │ control │ arm │      │    lift │      95 % interval │        p (adj.) │ −8.33 % … 0 … +8.33 % │
├─────────────────┼─────────┼─────┼──────┼─────────┼────────────────────┼─────────────────┼───────────────────────┤
│ completions ↑ * │     1.2 │ kd  │ 1.26 │ +5.00 % │ +1.67 % to +8.33 % │ 0.0040 (0.0080) │           ┊ ━━━━●━━━━ │
└─────────────────┴─────────┴─────┴──────┴─────────┴────────────────────┴─────────────────┴───────────────────────┘
  * primary · ↑ more is better · ↓ less is better

  completions, kd, always valid: difference −0.01 to +0.13, p 0.20

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

describe("the health, the plan and the verdict of a whole analysis", () => {
  test("a failed check says what was seen and where to look, and no arm is called better", () => {
    const lines = renderReport(madeReport("unhealthy")).split("\n");
    expect(lines.find((line) => line.startsWith("Verdict"))).toMatch(/Do not decide on these numbers/);
    expect(lines.join("\n")).not.toContain("is better than");
    expect(lines.filter((line) => line.includes("✘ Split by day: off on day"))).toHaveLength(1);
    expect(lines.filter((line) => line.includes("Likely cause: impressions of kd"))).toHaveLength(1);
  });

  test("before the end of a plan of one look there is no verdict, however small p is", () => {
    const peeked = madeReport("peeked");
    expect(peeked.metrics[0]?.comparisons[0]?.pValue).toBeLessThan(0.05);
    const text = renderReport(peeked);
    expect(text).toContain(
      "Verdict  Too early to decide: the plan is one look at 6,000 units, and 1,300 have come.",
    );
    expect(text).toContain("however often one looks, so it may be none");
    expect(text).not.toContain("is better than");
  });

  test("the same numbers at the planned end are decided on", () => {
    const peeked = madeReport("peeked");
    const ended = { ...peeked, plan: { ...(peeked.plan as NonNullable<typeof peeked.plan>), ended: true } };
    expect(verdictOf(ended)).toMatch(/^kd is better than control on completions/);
  });

  test("a verdict that the analysis has made stands as it is", () => {
    const verdict = { kind: "not-worse", sentence: "kd is not worse.", reasons: ["and faster"] } as const;
    expect(renderReport({ ...report, verdict })).toContain(
      "Verdict  kd is not worse.\n         and faster\n",
    );
  });

  test("is read in one screen", () => {
    const lines = renderReport(madeReport("healthy")).split("\n");
    expect(lines.findIndex((line) => line.startsWith("└"))).toBeLessThan(24);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(120);
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

  test("leaves zero free where the interval does, however near it comes", () => {
    expect(intervalBar({ estimate: 0.5, ciLow: 0.001, ciHigh: 1 }, 1)).toBe(
      `${" ".repeat(15)}┊${"━".repeat(7)}●${"━".repeat(7)}`,
    );
    expect(intervalBar({ estimate: -0.001, ciLow: -0.002, ciHigh: -0.0001 }, 1)).toBe(
      `${" ".repeat(14)}●┊${" ".repeat(15)}`,
    );
  });

  test("is as wide for any interval", () => {
    for (const reach of [0, 1e-9, 1, 5]) {
      expect(intervalBar({ estimate: 0, ciLow: -reach, ciHigh: reach }, reach)).toHaveLength(31);
    }
  });
});
