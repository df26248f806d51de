import { describe, expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import { intervalBar, reachOf } from "../../src/report/interval-bar.ts";
import { renderReport } from "../../src/report/report.ts";
import { kdBetter, madeReport } from "../support/made-reports.ts";
import { oddReport, oddReports } from "../support/odd-reports.ts";

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
  adjusted: { pValue: 0.008, method: "holm" },
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
  ...kdBetter,
  asOf: "2026-11-22T13:00:00.000Z",
  plan: { kind: "always-valid", plannedUnits: null, units: 9_982, plannedEnd: null, ended: false },
  arms: [
    { arm: "control", units: 5012, impressions: 60_000 },
    { arm: "kd", units: 4970, impressions: 59_000 },
  ],
  srm: { expected: [0.5, 0.5], statistic: 0.177, pValue: 0.67, ok: true },
  metrics: [completions],
};

/** The report with `changes` made to its one comparison. */
function withComparison(changes: Partial<Comparison>, metric: Partial<MetricReport> = {}): AnalysisReport {
  return { ...report, metrics: [{ ...completions, ...metric, comparisons: [{ ...kd, ...changes }] }] };
}

describe("the report on a terminal", () => {
  test("says the verdict, then health, then the numbers, then what stands behind and how long they hold", () => {
    expect(renderReport(report)).toBe(`\
home-kd · phase 1 · unit user · as of 2026-11-22T13:00:00.000Z

Verdict  kd is better than control on completions.
Health   split ok, p 0.67: control 5,012 = 50.2 % (expected 50.0 %), kd 4,970 = 49.8 % (expected 50.0 %)
         1 of 1 checks passed
Plan     always valid: 9,982 units

┌─────────────────┬─────────┬─────┬──────┬─────────┬────────────────────┬────────┬───────────────────────┐
│ metric          │ control │ arm │      │    lift │      95 % interval │ adj. p │ −8.33 % … 0 … +8.33 % │
├─────────────────┼─────────┼─────┼──────┼─────────┼────────────────────┼────────┼───────────────────────┤
│ completions ↑ * │     1.2 │ kd  │ 1.26 │ +5.00 % │ +1.67 % to +8.33 % │ 0.0080 │           ┊ ━━━━●━━━━ │
└─────────────────┴─────────┴─────┴──────┴─────────┴────────────────────┴────────┴───────────────────────┘
  * primary · ↑ more is better · ↓ less is better

  completions, kd, always valid: difference −0.01 to +0.13, p 0.20

The verdict goes by adj. p: of the plan's own test, with CUPED where there is any, adjusted for the number of tests.
Lifts and their 95 % intervals are without CUPED and hold for one look, at the planned end of the experiment.
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
    const little = { ...cuped, varianceReduction: 0.0099 };
    expect(renderReport(withComparison({ cuped: little }))).not.toContain("CUPED with before");
    const raised = { ...cuped, varianceReduction: -0.01 };
    expect(renderReport(withComparison({ cuped: raised }))).toContain("variance raised by 1.0 %");
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
    expect(lines.join("\n")).not.toMatch(/better than|leaves zero out/);
    expect(lines.filter((line) => line.includes("Split by day of first exposure: off: day 10"))).toHaveLength(
      1,
    );
    expect(
      lines.filter((line) => line.includes("Likely cause: the split is most surely off on day 10")),
    ).toHaveLength(1);
    expect(lines).toContain("         3 of 9 checks passed, 2 failed, 4 not testable");
  });

  test("a failed check that the verdict does not tell of is told with the health", () => {
    const made = madeReport("unhealthy");
    const text = renderReport({
      ...made,
      verdict: { kind: "unhealthy", sentence: "No verdict.", reasons: [] },
    });
    expect(text).toMatch(
      /✘ Split of the phase: control 4,138, kd 3,719; likely cause: the split is most surely off .* \(p < 0\.0001\)\n/,
    );
  });

  test("before the end of a plan of one look there is no interval that could be taken for a finding", () => {
    const peeked = madeReport("peeked");
    expect(peeked.metrics[0]?.comparisons[0]?.pValue).toBeLessThan(0.05);
    const text = renderReport(peeked);
    expect(text).toContain("Verdict  Too early for a verdict.\n");
    expect(text.replaceAll(/\s+/g, " ")).toMatch(
      /completions, kd against control: \+12\.0 % so far; however often one looks, .*, so it may be none\./,
    );
    expect(text).toContain("         The plan is one look at 6,000 units, of which 1,300 are there.\n");
  });

  test("is read in one screen", () => {
    const lines = renderReport(madeReport("healthy")).split("\n");
    expect(lines.findIndex((line) => line.startsWith("└"))).toBeLessThan(24);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(120);
  });
});

describe("the verdict", () => {
  const open = {
    kind: "open",
    sentence: "kd is not safe yet.",
    reasons: ["skips: adjusted p 0.20"],
  } as const;

  test("stands as the analysis has made it", () => {
    expect(renderReport({ ...report, verdict: open })).toContain(`\
Verdict  kd is not safe yet.
         skips: adjusted p 0.20
Health `);
  });

  test("before its time the differences so far stand beside it, where there are any", () => {
    const early = { kind: "too-early", sentence: "Too early for a verdict.", reasons: ["of 6000"] } as const;
    const textOf = (changes: Partial<Comparison>) =>
      renderReport({ ...withComparison(changes), verdict: early });
    expect(textOf({})).toContain(`\
Verdict  Too early for a verdict.
         of 6000
         completions, kd against control: +5.00 % so far; however often one looks, the difference is −0.01 to +0.13,
         so it may be none.
`);
    expect(textOf({ relative: null, alwaysValid: null })).toContain("against control: +0.06 so far.\n");
    const ahead = { ciLow: 0.01, ciHigh: 0.13, pValue: 0.01 };
    expect(textOf({ alwaysValid: ahead })).toMatch(
      /to \+0\.13,\s+which leaves zero out; that is no verdict yet\.\n/,
    );
    expect(textOf({ absolute: null, relative: null })).not.toContain("so far");
  });

  test("of more reasons than are read the first stand there, and of many arms the one furthest off", () => {
    const reasons = Array.from({ length: 30 }, (_, i) => `reason ${i}`);
    const head = renderReport({ ...oddReport("twelve arms"), verdict: { ...open, reasons } }).split("┌")[0];
    expect(head).toContain("reason 7\n         … and ");
    expect(head).not.toContain("reason 8");
    expect(head).toMatch(/12 arms, furthest off \S+ [\d,]+ = /);
    expect(head?.split("\n").length).toBeLessThan(18);
  });

  test("a metric that it is not about and that gets worse is pointed at, but not before its time", () => {
    const skips: MetricReport = {
      ...completions,
      metric: "skips",
      role: "guardrail",
      goal: "decrease",
      comparisons: [{ ...kd, pValueAdjusted: null }],
    };
    const both = { ...report, metrics: [completions, skips] };
    const watch = "Watch out: kd is worse than control on the guardrail metric skips: +5.00 %";
    expect(renderReport(both)).toContain(watch);
    const cuped = {
      ...{ covariate: "skips before", theta: 0.5, varianceReduction: 0.3, relative: null, pValue: 0.001 },
      absolute: { estimate: -0.2, ciLow: -0.3, ciHigh: -0.1 },
    };
    const adjusted = [{ ...skips, comparisons: [{ ...kd, pValueAdjusted: null, cuped }] }];
    expect(renderReport({ ...both, metrics: [completions, ...adjusted] })).not.toContain("Watch out");
    const early = { kind: "too-early", sentence: "Too early for a verdict.", reasons: [] } as const;
    expect(renderReport({ ...both, verdict: early })).not.toContain(watch);
    const look = { look: 1, statistic: 2.1, bounds: { bounds: [4.3], spent: [0.00001] }, crossed: false };
    const sequential = [{ ...skips, comparisons: [{ ...kd, sequential: look as never }] }];
    expect(renderReport({ ...both, metrics: [completions, ...sequential] })).not.toContain(watch);
  });

  test("a broken split is told, and one that cannot be tested", () => {
    const broken = { ...report, srm: { ...report.srm, pValue: 1e-9, ok: false } };
    expect(renderReport(broken)).toContain("split SAMPLE RATIO MISMATCH, p < 0.0001");
    const empty = { ...report, srm: { ...report.srm, statistic: null, pValue: null } };
    expect(renderReport(empty)).toContain("split not testable yet");
  });
});

describe("what should not be in a report, or seldom is", () => {
  const rendered = Object.entries(oddReports).map(([name, make]) => ({ name, text: renderReport(make()) }));

  test.each(rendered)("$name: no number that is none, and nothing that a terminal obeys", ({ text }) => {
    expect(text).not.toMatch(/NaN|Infinity|∞|null|undefined/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  test("long names keep both of their ends in the table, which stays narrow", () => {
    const text = renderReport(oddReport("long names"));
    const rows = text.split("\n").filter((line) => line.startsWith("│ "));
    expect(rows.join("\n")).toMatch(/│ completio…pletions ↑/);
    expect(Math.max(...rows.slice(0, 4).map((line) => [...line].length))).toBeLessThanOrEqual(130);
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

  test("is cut with an arrow where one interval would make dots of the others", () => {
    const narrow = { estimate: 0.01, ciLow: 0, ciHigh: 0.02 };
    const wide = { estimate: 1, ciLow: -4, ciHigh: 6 };
    const reach = reachOf([narrow, narrow, narrow, wide]);
    expect(reach).toBeCloseTo(0.12, 12);
    expect(intervalBar(wide, reach)).toBe(`◀${"━".repeat(14)}┿${"━".repeat(14)}▶`);
    expect(intervalBar({ ...narrow, ciHigh: Number.NaN }, reach).trim()).toBe("┊");
    expect(reachOf([{ ...narrow, ciHigh: Number.POSITIVE_INFINITY }])).toBe(0);
  });

  test("is as wide for any interval", () => {
    for (const reach of [0, 1e-9, 1, 5]) {
      expect(intervalBar({ estimate: 0, ciLow: -reach, ciHigh: reach }, reach)).toHaveLength(31);
    }
  });
});
