import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import { withGrowingLog } from "../support/logged-files.ts";
import { randomExperiment, randomLog } from "../support/random-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asOf = new Date("2026-11-22T12:00:00.000Z");

/** Some logs of up to three segments, one behind the other: of most units there is something in several. */
const segments = fc.array(randomLog, { minLength: 3, maxLength: 4, size: "max" }).map((logs) => logs.flat());

/** By how many segments the log grows before each look, and how many of its last ones are not compacted then. */
const looks = fc.array(
  fc.record({ grown: fc.integer({ min: 0, max: 2 }), open: fc.integer({ min: 0, max: 1 }) }),
  { minLength: 4, maxLength: 6, size: "max" },
);

/** Neither a window nor a past: what becomes of an outcome depends on its request alone. */
const { attributionWindow: _, ...unbounded } = randomExperiment;
const bySession: Experiment = {
  ...unbounded,
  unit: "session",
  metrics: randomExperiment.metrics
    .filter(({ id }) => id !== "early")
    .map((metric) => ({ ...metric, covariate: "none" })),
};

test.each([
  { name: "units that are users, with windows and pasts", experiment: randomExperiment },
  { name: "units that are sessions, without", experiment: bySession },
])(
  "after each growth of the log the report is that of the whole log, digit for digit: $name",
  async ({ experiment }) => {
    await fc.assert(
      fc.asyncProperty(segments, looks, async (records, steps) => {
        const folder = await temporaryFolder();
        const log = { folder, segments: records };
        const notices: string[] = [];
        let [length, compacted] = [0, 0];
        for (const { grown, open } of steps) {
          length = Math.min(records.length, length + grown);
          // What is compacted stays so.
          compacted = Math.max(compacted, length - open);
          await withGrowingLog(log, { compacted, length }, async (files, warehouse) => {
            const analysis = { experiment, files, alpha: 0.05, asOf };
            const states = {
              folder: join(folder, "analysis"),
              warehouse,
              experiments: [experiment.id],
              onNotice: (sentence: string) => notices.push(sentence),
            };
            const report = await analyzeExperiment({ ...analysis, states });
            expect(JSON.stringify(report)).toBe(JSON.stringify(await analyzeExperiment(analysis)));
          });
        }
        // Nothing but the first look reads all of it.
        expect(new Set(notices)).toEqual(
          new Set(["There is no state of this experiment yet: the whole log is read once."]),
        );
      }),
      { numRuns: 5 },
    );
  },
);
