import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import type { LogFiles } from "../../src/domain/ports.ts";
import { momentsOf } from "../../src/statistics/moments.ts";
import { withLoggedFiles } from "../support/logged-files.ts";
import { expectedOf, randomExperiment, randomLog } from "../support/random-log.ts";

const asOf = new Date("2026-11-22T12:00:00.000Z");
const analysisOf = (files: LogFiles) =>
  analyzeExperiment({ experiment: randomExperiment, files, alpha: 0.05, asOf });

/** To the last digits of a sum that was added up in another order, where the values go up to 1e12. */
const near = (value: number) =>
  expect.closeTo(value, Math.max(0, 6 - Math.ceil(Math.log10(Math.abs(value) + 1))));

describe("a log in which everything happens", () => {
  test("is analysed as the rules say, record by record", async () => {
    await fc.assert(
      fc.asyncProperty(randomLog, async (segments) => {
        const report = await withLoggedFiles(segments, analysisOf);
        const { values, ...counts } = expectedOf(segments);
        expect(report).toMatchObject(counts);
        for (const [i, { arms }] of report.metrics.entries()) {
          for (const [j, { units, mean, standardError }] of arms.entries()) {
            const { count, mean: expected, m2 } = momentsOf(values[i]?.[j] ?? []);
            expect({ units, mean }).toEqual({ units: count, mean: count === 0 ? null : near(expected) });
            if (count > 1) expect(standardError).toEqual(near(Math.sqrt(m2 / (count - 1) / count)));
          }
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);

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
  }, 120_000);
});
