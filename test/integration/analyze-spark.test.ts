import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { analyzeExperiment, sparkEngine } from "../../src/analysis/analysis.ts";
import { compactDataDirectory } from "../../src/app/compact-data.ts";
import { run } from "../../src/cli/cli.ts";
import type { LogFiles } from "../../src/domain/ports.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import { experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { withLoggedFiles } from "../support/logged-files.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { randomExperiment, randomLog } from "../support/random-log.ts";
import { describeWithSpark, localSpark, sparkTimeoutMs } from "../support/spark.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

let stdout = "";
let stderr = "";

beforeEach(() => {
  stdout = "";
  stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    stderr += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

describeWithSpark("an analysis on Spark", (sparkSql) => {
  test(
    "says what DuckDB says, digit for digit, of a log in which everything happens",
    async () => {
      const segments = fc.sample(randomLog, { seed: 4, numRuns: 2 }).flat();
      const odd = "';DROP TABLE units;--\u0000\n\"☃\\'$x";
      const experiment = {
        ...randomExperiment,
        metrics: [...randomExperiment.metrics, { ...randomExperiment.metrics[1], id: "odd", outcome: odd }],
      } as typeof randomExperiment;
      const oddOnes = [
        impressionOf(odd, odd, "kd", [odd], { assignment: { phase: 2 } }),
        outcomeOf(odd, odd, odd, odd, 0.1),
      ];
      const analysisOf = (files: LogFiles, engine?: ReturnType<typeof sparkEngine>) =>
        analyzeExperiment({ experiment, files, engine, alpha: 0.05, asOf: new Date(0) });
      const [duckdb, spark] = await withLoggedFiles([...segments, oddOnes], async (files) => [
        await analysisOf(files),
        await analysisOf(files, sparkEngine({ program: sparkSql, settings: localSpark })),
      ]);
      expect(spark).toEqual(duckdb);
      // Nothing of it is empty.
      expect(spark?.arms.map(({ units }) => units > 1)).toEqual([true, true]);
      expect(spark?.lateOutcomes).toBeGreaterThan(0);
      expect(spark?.metrics[4]?.arms[1]?.mean).toBeGreaterThan(0);
    },
    sparkTimeoutMs,
  );

  test(
    "through the command reads what the cluster sees of the warehouse, and says what it does not",
    async () => {
      const dataDir = await temporaryFolder();
      const clock = { now: () => Date.now(), monotonic: () => 0 };
      const registry = openRegistry({ dataDir, clock });
      await registry.write("tests", () => ({
        experiments: [{ document: { ...experimentOf(), revision: 1 }, what: "created" }],
      }));
      await registry.close();
      const append = async (request: string, unit: string, arm: string): Promise<void> => {
        const log = await openTestLog(join(dataDir, "log"));
        await log.appendImpression(impressionOf(request, unit, arm));
        await log.close();
      };
      await append("r1", "u1", "control");
      await compactDataDirectory({ dataDir });
      await append("r2", "u2", "kd");
      const settings = localSpark.flatMap((setting) => ["--spark-conf", setting]);
      const cluster = ["--engine", "spark", "--spark-sql", sparkSql, ...settings];
      const warehouse = ["--warehouse", `file://${dataDir}/warehouse/`];
      const code = await run([
        ...["analyze", "--experiment", "home-kd", "--data-dir", dataDir, "--json"],
        ...cluster,
        ...warehouse,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { arms, warnings } = JSON.parse(stdout);
      expect(arms.map(({ units }: { units: number }) => units)).toEqual([1, 0]);
      expect(warnings[0]).toBe(
        "1 segment of the log is not in the warehouse yet, which is all that the cluster sees: not counted; setlist compact brings it there once sealed.",
      );
    },
    sparkTimeoutMs,
  );

  test(
    "that fails says so in Spark's own words",
    async () => {
      const engine = sparkEngine({ program: sparkSql, settings: localSpark });
      const missing = "file:///nowhere/outcomes/date=2026-11-22/0000000001.parquet";
      const files = { impressions: [], outcomes: [missing], missingBefore: undefined };
      await expect(
        analyzeExperiment({ experiment: experimentOf(), files, engine, alpha: 0.05, asOf: new Date(0) }),
      ).rejects.toMatchObject({
        code: "INTERNAL",
        message: expect.stringMatching(/ended with code 1: .*PATH_NOT_FOUND.*nowhere/),
      });
    },
    sparkTimeoutMs,
  );
});
