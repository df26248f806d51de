import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import type { Metric } from "../../src/domain/experiment.ts";
import type { LogFiles } from "../../src/domain/log-reading.ts";
import { crossMomentsOf, momentsOf } from "../../src/statistics/moments.ts";
import {
  adjustedArms,
  difference,
  type Estimate,
  estimateOfMean,
  estimateOfQuantile,
  estimateOfRatio,
  jointMomentsOf,
} from "../../src/statistics/statistics.ts";
import { withLoggedFiles } from "../support/logged-files.ts";
import { expectedOf, randomExperiment, randomLog, type UnitRow } from "../support/random-log.ts";
import { quantileSumsOf } from "../support/unit-events.ts";

const asOf = new Date("2026-11-22T12:00:00.000Z");
const analysisOf = (files: LogFiles) =>
  analyzeExperiment({ experiment: randomExperiment, files, alpha: 0.05, asOf });

/** As the statistics have it of the units' own values, without a database in between. */
function armOf(type: Metric["type"], quantile: number | undefined, units: readonly UnitRow[]) {
  const answer =
    type === "quantile"
      ? estimateOfQuantile(quantileSumsOf(units.map(({ events }) => events)), quantile ?? 0)
      : type === "ratio"
        ? estimateOfRatio(crossMomentsOf(units.map((one) => [one.denominator, one.numerator] as const)))
        : estimateOfMean(momentsOf(units.map(({ numerator }) => numerator)));
  const standardError = answer.ok ? near(Math.sqrt(answer.value.variance)) : null;
  if (answer.ok) return { value: near(answer.value.value), standardError };
  const mean = (of: (one: UnitRow) => number) => units.reduce((sum, one) => sum + of(one), 0) / units.length;
  const value =
    type === "ratio"
      ? mean((one) => one.numerator) / mean((one) => one.denominator)
      : mean((one) => one.numerator);
  return { value: type !== "quantile" && Number.isFinite(value) ? near(value) : null, standardError };
}

function cupedOf(metric: number, arms: readonly (readonly UnitRow[])[]) {
  const { denominator } = randomExperiment.metrics[metric] as Metric;
  const isRatio = denominator !== undefined;
  const hasPastBelow = isRatio && denominator.aggregate !== "requests";
  const row = ({ numerator, denominator: below, past: [above, under, none] }: UnitRow) => [
    numerator,
    ...(isRatio ? [below] : []),
    above,
    ...(hasPastBelow ? [under] : []),
    none,
  ];
  const length = 3 + Number(isRatio) + Number(hasPastBelow);
  const moments = arms.map((units) => jointMomentsOf(units.map(row), length));
  const first = isRatio ? 2 : 1;
  const adjusted = adjustedArms(moments, {
    numerator: 0,
    ...(isRatio && { denominator: 1 }),
    covariates: Array.from({ length: length - first }, (_, i) => first + i),
  });
  if (!adjusted.ok) return null;
  const [control, treated] = adjusted.value.arms as [Estimate, Estimate];
  const tested = difference(treated, control, 0.05);
  if (!tested.ok) return null;
  const { estimate, ciLow, ciHigh } = tested.value;
  // Values of 1e12 beside small ones: what a covariate explains of them is rounded as they are.
  const digits = Math.floor(4 - Math.log10(ciHigh - ciLow));
  return expect.objectContaining({
    absolute: {
      estimate: expect.closeTo(estimate, digits),
      ciLow: expect.closeTo(ciLow, digits),
      ciHigh: expect.closeTo(ciHigh, digits),
    },
  });
}

/** To the last digits of a sum that was added up in another order, where the values go up to 1e12. */
const near = (value: number) =>
  expect.closeTo(value, Math.max(0, 6 - Math.ceil(Math.log10(Math.abs(value) + 1))));

describe("a log in which everything happens", () => {
  test("is analysed as the rules say, record by record", async () => {
    await fc.assert(
      fc.asyncProperty(randomLog, async (segments) => {
        const report = await withLoggedFiles(segments, analysisOf);
        const { rows, ...counts } = expectedOf(segments);
        expect(report).toMatchObject(counts);
        for (const [i, { arms, comparisons }] of report.metrics.entries()) {
          const { type, quantile } = randomExperiment.metrics[i] as Metric;
          const units = rows[i] as (typeof rows)[number];
          const estimates = units.map((of) => armOf(type, quantile, of));
          expect(arms.map(({ mean }) => mean)).toEqual(estimates.map(({ value }) => value));
          expect(arms.map(({ standardError }) => standardError)).toEqual(
            estimates.map(({ standardError }) => standardError),
          );
          expect(comparisons[0]?.cuped ?? null).toEqual(type === "quantile" ? null : cupedOf(i, units));
        }
      }),
      { numRuns: 25 },
    );
  });

  test("says the same, digit for digit, in whatever order its files are named", async () => {
    await fc.assert(
      fc.asyncProperty(randomLog, async (segments) => {
        const [one, other] = await withLoggedFiles(segments, async (files) => [
          await analysisOf(files),
          await analysisOf({
            ...files,
            impressions: files.impressions.toReversed(),
            outcomes: files.outcomes.toReversed(),
          }),
        ]);
        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
      }),
      { numRuns: 10 },
    );
  });
});
