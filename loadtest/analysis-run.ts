/** One analysis of a made log, in a process of its own: `node analysis-run.ts FOLDER OUTCOMES` prints what it took as JSON. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { analyzeExperiment } from "../src/analysis/analysis.ts";
import { literal, withDatabase, withTemporaryFolder } from "../src/columnar/columnar.ts";
import type { Experiment } from "../src/domain/experiment.ts";
import { duckDbEngine } from "../src/measurement/duckdb-engine.ts";
import { experimentOf } from "../test/support/log-records.ts";
import { type MadeLog, madeLog, outcomesOfImpression } from "./made-log.ts";

export interface AnalysisRun {
  readonly outcomes: number;
  readonly impressions: number;
  readonly units: number;
  readonly seconds: number;
  /** After the SQL's answers. */
  readonly statisticsMs: number;
  readonly cpuSeconds: number;
  /** Of the analysis alone. */
  readonly peakBytes: number;
  /** Of one scan of the same columns of the same files, without a join. */
  readonly scanSeconds: number;
}

const mean = { type: "mean", goal: "increase", role: "secondary" } as const;

/** Five metrics, each adjusted by the same unit's 14 days before. */
export const measuredExperiment: Experiment = experimentOf({
  metrics: [
    { ...mean, id: "completions", outcome: "completion", aggregate: "count", role: "primary" },
    { ...mean, id: "seconds", outcome: "play", aggregate: "sum", winsorise: 0.999 },
    { ...mean, id: "liked", type: "proportion", outcome: "like", aggregate: "any" },
    {
      ...mean,
      id: "skips-per-request",
      type: "ratio",
      goal: "decrease",
      outcome: "skip",
      aggregate: "count",
      denominator: { aggregate: "requests" },
    },
    { ...mean, id: "seconds-a-play", outcome: "play", aggregate: "mean" },
  ],
  attributionWindow: "7d",
});

/** What DuckDB takes to read what the analysis reads, and to count by type and by surface. */
async function scanSeconds(log: MadeLog): Promise<number> {
  const files = (paths: readonly string[]): string => `read_parquet([${paths.map(literal).join(", ")}])`;
  const read = (columns: readonly string[]): string => columns.map((one) => `max(${one})`).join(", ");
  return withTemporaryFolder("scan", (folder) =>
    withDatabase({ overflow: join(folder, "overflow") }, async (database) => {
      const began = performance.now();
      await database.run(
        `SELECT type, count(*), ${read(["outcome", "request", "item", "value", "occurred_at"])}
         FROM ${files(log.outcomes)} GROUP BY type`,
      );
      await database.run(
        `SELECT surface, count(*), ${read(["request", '"at"', '"user"', "model", "timings", "items", "assignments"])}
         FROM ${files(log.impressions)} GROUP BY surface`,
      );
      return (performance.now() - began) / 1_000;
    }),
  );
}

async function analysisRun(folder: string, outcomes: number, isVerbose: boolean): Promise<AnalysisRun> {
  const files = await madeLog(folder, outcomes);
  const began = performance.now();
  let step = began;
  let answered = began;
  const { dialect, run } = duckDbEngine();
  const { arms } = await analyzeExperiment({
    experiment: measuredExperiment,
    files,
    engine: {
      dialect,
      async run(...statements) {
        const results = await run(...statements);
        answered = performance.now();
        return results;
      },
    },
    alpha: 0.05,
    asOf: new Date(),
    onProgress: (done, of) => {
      const now = performance.now();
      if (isVerbose) console.error(`  step ${done} of ${of}: ${((now - step) / 1_000).toFixed(1)} s`);
      step = now;
    },
  });
  const ended = performance.now();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    outcomes,
    impressions: Math.ceil(outcomes / outcomesOfImpression),
    units: arms.reduce((sum, arm) => sum + arm.units, 0),
    seconds: (ended - began) / 1_000,
    statisticsMs: ended - answered,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: maxRSS * 1_024,
    scanSeconds: await scanSeconds(files),
  };
}

if (import.meta.main) {
  const [folder = "", outcomes, verbose] = process.argv.slice(2);
  const run = await analysisRun(folder, Number(outcomes), verbose === "verbose");
  writeSync(1, `${JSON.stringify(run)}\n`);
}
