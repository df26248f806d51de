import { describe, expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import { renderOverview } from "../../src/report/report.ts";
import { kdBetter } from "../support/made-reports.ts";

const interval = { estimate: 0.05, ciLow: 0.01, ciHigh: 0.09 };
const report: AnalysisReport = {
  ...kdBetter,
  asOf: "2026-11-22T08:00:00.000Z",
  plan: { kind: "always-valid", plannedUnits: null, units: 1_010, plannedEnd: null, ended: false },
  arms: [
    { arm: "control", units: 500, impressions: 900 },
    { arm: "kd", units: 510, impressions: 930 },
  ],
  srm: { expected: [0.5, 0.5], statistic: 0.1, pValue: 0.75, ok: true },
  metrics: [
    {
      metric: "completions",
      role: "primary",
      type: "mean",
      goal: "increase",
      arms: [
        { arm: "control", units: 500, mean: 2, standardError: 0.1 },
        { arm: "kd", units: 510, mean: 2.1, standardError: 0.1 },
      ],
      comparisons: [
        {
          arm: "kd",
          versus: "control",
          absolute: { estimate: 0.1, ciLow: 0.02, ciHigh: 0.18 },
          relative: interval,
          pValue: 0.014,
          pValueAdjusted: 0.014,
          method: "welch",
          cuped: null,
          alwaysValid: null,
          adjusted: { pValue: 0.014, method: "holm" },
        },
      ],
    },
  ],
};

describe("the overview of an analysis", () => {
  test("fits a screen's width and says verdict, health, and each metric's lift with its interval", () => {
    const text = renderOverview(report);
    const lines = text.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(112);
    expect(lines[0]).toBe("home-kd");
    expect(lines[1]).toContain("Verdict  kd is better than control on completions.");
    expect(lines[2]).toContain("split ok");
    const row = lines.find((line) => line.includes("completions ↑ *")) ?? "";
    expect(row).toContain("+5.00 %");
    expect(row).toContain("+1.00 % to +9.00 %");
    // The interval lies right of zero, so zero stays free.
    expect(row).toMatch(/┊ *━+●━+/);
  });

  test("says of a number that cannot be had that there is none", () => {
    const [metric] = report.metrics;
    const [comparison] = metric?.comparisons ?? [];
    const empty = { ...comparison, absolute: null, relative: null, pValue: null, pValueAdjusted: null };
    const text = renderOverview({
      ...report,
      metrics: [{ ...metric, comparisons: [empty] }] as AnalysisReport["metrics"],
      warnings: ["completions: too few units"],
    });
    expect(text).toContain("–");
    expect(text).toContain("! completions: too few units");
    expect(text).not.toMatch(/NaN|null|undefined/);
  });
});
