import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { analyzeExperiment } from "../../src/analysis/analysis.ts";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import type { Metric } from "../../src/domain/experiment.ts";
import type { LogFiles } from "../../src/domain/log-reading.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { sparkEngine } from "../../src/measurement/measurement.ts";
import { openRegistry } from "../../src/registry/registry.ts";
import {
  completions,
  counterfactualOf,
  experimentOf,
  impressionOf,
  interleavingOf,
  outcomeOf,
} from "../support/log-records.ts";
import { withLoggedFiles } from "../support/logged-files.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { randomExperiment, randomLog } from "../support/random-log.ts";
import { setlistHere } from "../support/setlist-command.ts";
import { describeWithSpark, localSpark } from "../support/spark.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describeWithSpark("an analysis on Spark", (sparkSql) => {
  test("says what DuckDB says, digit for digit, of a log in which everything happens", async () => {
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
  });

  const arms = ["control", "kd"];
  const units = Array.from({ length: 240 }, (_, unit) => ({ unit, arm: arms[unit % 2] as string }));
  const records = units.flatMap(({ unit, arm }) => {
    const shown = impressionOf(`r${unit}`, `u${unit}`, arm);
    const at = shown.at + (unit % 4 === 0 ? 0 : (unit % 3) * 86_400_000);
    const other = arms[(unit + 1) % 2] as string;
    return [
      {
        ...{ ...shown, at },
        timings: { assign: 0.1, features: 1, queue: unit / 7, inference: 2, rank: 0.1 },
        attributes: {
          user: {
            country: unit % 3 === 0 ? "DE" : "FR",
            // Java takes the last one for a number.
            days: unit % 20 < 19 ? unit / 7 : "5d",
          },
        },
        sent: {
          ...{ user: {}, context: {} },
          items: [0, 1, 2].map((n) => ({
            genre: ["jazz trio", "it's", "new jazz"][(unit + n) % 3] as string,
            age: (unit + n) % 9,
            isNew: Number(unit % 5 === 0),
          })),
        },
      },
      ...Array.from({ length: unit % 4 }, (_, n) => ({
        ...outcomeOf(`past${unit}-${n}`, userRequestId(`u${unit}`), "", "completion", n / 3),
        occurredAt: at - (1 + n) * 86_400_000,
      })),
      { ...impressionOf(`end${unit}`, `u${unit}`, arm), at: at + 3 * 86_400_000 },
      counterfactualOf(`r${unit}`, {
        arm,
        other,
        otherIds: ["t1", "t2", "t3"],
        agreeing: unit % 5 === 0 ? 1 : 3,
      }),
      ...(unit % 7 < 4
        ? [
            {
              ...outcomeOf(`o${unit}`, `r${unit}`, "t1", "completion", unit / 7),
              occurredAt: at + (unit % 50) * 3_600_000,
            },
          ]
        : []),
    ];
  });
  const declared = (changes: Partial<Metric>): Metric => ({
    ...completions,
    role: "secondary",
    ...changes,
  });
  const onBoth = (segments: readonly LogRecord[], input: Partial<Parameters<typeof analyzeExperiment>[0]>) =>
    withLoggedFiles([segments], async (files) => {
      const analysis = { experiment: experimentOf(), files, alpha: 0.05, asOf: new Date(0), ...input };
      const engine = sparkEngine({ program: sparkSql, settings: localSpark });
      return [await analyzeExperiment(analysis), await analyzeExperiment({ ...analysis, engine })] as const;
    });

  test("says what DuckDB says of segments, novelty, trigger, policies, calibration and interleavings", async () => {
    const drafted = interleavingOf("list");
    const lists = units.slice(0, 20).flatMap(({ unit }) => [
      {
        ...impressionOf(`r${unit}`, `u${unit}`, "interleaved"),
        interleaving: { ...drafted, id: `list${unit}` },
      },
      outcomeOf(`o${unit}`, `r${unit}`, unit % 3 === 0 ? "t2" : "t1"),
    ]);
    const designs = {
      segments: [{ of: "user", name: "country" } as const],
      novelty: true,
      trigger: true,
      policies: [new Map([["kd", 1]])],
      calibrate: {},
    };
    const sum = { id: "seconds", aggregate: "sum", role: "secondary" } as const;
    const experiment = experimentOf({
      counterfactual: { share: 1, topK: 3 },
      metrics: [
        completions,
        { ...completions, ...sum },
        declared({ id: "rate", type: "ratio", denominator: { aggregate: "requests" } }),
      ],
    });
    const [duckdb, spark] = await onBoth(records, { experiment, designs });
    expect(spark).toEqual(duckdb);
    expect(spark.trigger?.comparisons[0]?.metrics[0]?.triggered).not.toBeNull();
    expect(spark.offPolicy?.policies[0]?.metrics[0]?.doublyRobust).not.toBeNull();
    expect(spark.novelty?.[0]?.days.length).toBeGreaterThan(1);
    expect(spark.calibration?.units).toBe(240);
    const interleaved = await onBoth(lists, { experiment: experimentOf({ kind: "interleave" }) });
    expect(interleaved[1]).toEqual(interleaved[0]);
    expect(interleaved[1].interleaving?.metrics[0]?.wins).toBeGreaterThan(0);
    expect(interleaved[1].health?.checks[0]?.detail).toContain("kd picked first in 20 lists");
  });

  test("says what DuckDB says of items' features, attributes that are numbers, activity, days, strata and time", async () => {
    const experiment = experimentOf({
      stratify: ["user.country"],
      metrics: [
        { ...completions, margin: 0.1 },
        declared({ id: "jazz", filter: "item.features.genre.startsWith('jazz')", covariate: "user.days" }),
        declared({ id: "trio", filter: "item.features.genre.endsWith('jazz') || item.features.age > 4" }),
        declared({
          id: "it's",
          filter: 'item.features.genre.contains("t\'s") && item.features.isNew == 0.0',
        }),
        declared({ id: "median", type: "quantile", aggregate: "quantile", quantile: 0.5 }),
      ],
    });
    const segments = [{ of: "user", name: "days" } as const, { of: "activity" } as const];
    const designs = { segments, overTime: true, distributions: true };
    const [duckdb, spark] = await onBoth(records, { experiment, designs });
    expect(spark).toEqual(duckdb);
    expect(spark.overTime?.map(({ points }) => points.length > 3)).toEqual(Array(4).fill(true));
    expect(spark.distributions?.every(({ buckets }) => buckets.length > 1)).toBe(true);
    expect(spark.metrics[0]?.comparisons[0]?.postStratified?.strata).toBe(2);
    expect(spark.tradeoff?.points.map(({ latencyMs }) => (latencyMs ?? 0) > 0)).toEqual([true, true]);
    const jazz = spark.metrics.filter(({ metric }) => ["jazz", "trio", "it's"].includes(metric));
    for (const { arms: values } of jazz) expect(values[1]?.mean).toBeGreaterThan(0);
    expect(jazz[0]?.comparisons[0]?.cuped?.covariate).toBe("user.days");
    const levelsOf = (attribute: string) =>
      spark.segments?.find((one) => one.attribute === attribute)?.levels.map(({ level }) => level);
    expect(levelsOf("user.days")).toHaveLength(6);
    expect(levelsOf("user.days")?.at(-1)).toBe("(no number)");
    expect(levelsOf("activity")?.toSorted()).toEqual(["0", "1", "2", "3"]);
  });

  test("through the command reads what the cluster sees of the warehouse, and says what it does not", async () => {
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
    const { code, stdout, stderr } = await setlistHere(
      ...["analyze", "--experiment", "home-kd", "--data-dir", dataDir, "--json"],
      ...cluster,
      ...warehouse,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { arms, warnings } = JSON.parse(stdout);
    expect(arms.map(({ units }: { units: number }) => units)).toEqual([1, 0]);
    expect(warnings[0]).toBe(
      "1 segment of the log is not in the warehouse yet, which is all that the cluster sees: not counted; setlist compact brings it there once sealed.",
    );
  });

  test("that fails says so in Spark's own words", async () => {
    const engine = sparkEngine({ program: sparkSql, settings: localSpark });
    const missing = "file:///nowhere/outcomes/date=2026-11-22/0000000001.parquet";
    const files = { impressions: [], outcomes: [missing], missingBefore: undefined };
    await expect(
      analyzeExperiment({ experiment: experimentOf(), files, engine, alpha: 0.05, asOf: new Date(0) }),
    ).rejects.toMatchObject({
      code: "INTERNAL",
      message: expect.stringMatching(/ended with code 1: .*PATH_NOT_FOUND.*nowhere/),
    });
  });
});
