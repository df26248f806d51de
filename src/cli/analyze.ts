import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { AnalysisReport } from "../analysis/analysis.ts";
import { loadConfig } from "../config.ts";
import { SetlistError, UsageError } from "../domain/error.ts";
import {
  addCovariate,
  addPolicy,
  addSegment,
  addSparkSetting,
  addText,
  parseAlpha,
  parseWeights,
} from "./analyze-flags.ts";
import {
  type AnalyzeFlags,
  refuseForLog,
  refuseForTable,
  refuseWithoutSpark,
  sparkCluster,
} from "./analyze-use.ts";
import { positiveInteger } from "./argument.ts";
import { exitNotHealthy } from "./exit-codes.ts";
import { segmentBar } from "./segment-bar.ts";

/**
 * `setlist analyze`: which arm is better, over the log of a server or over any table. Exit code 3 where it is not healthy.
 * The analysis is imported once it is asked for: its DuckDB is a library of 60 MB, which no other command should load.
 */
export function analyzeCommand(): Command {
  return new Command("analyze")
    .description("Say which arm is better, from the log of a server or from a CSV or Parquet file.")
    .option("--experiment <ID>", "the experiment to analyse, by the log of the data directory")
    .option("--data-dir <FOLDER>", "the data directory; a server may be using it (default: ./data)")
    .option("--table <FILE>", "instead: a CSV (with a header) or Parquet file, one row a unit or an event")
    .option("--unit <COLUMN>", "table: the column of what was randomised")
    .option("--arm <COLUMN>", "table: the column of the arm")
    .option("--control <ARM>", "table: the arm that the others are compared with")
    .option(
      "--metric <NAME=COLUMN:KIND>",
      "table: a mean, a proportion, or NAME=COLUMN/COLUMN:ratio; repeatable",
      addText,
    )
    .option(
      "--covariate <NAME=COLUMN>",
      "table: a covariate of metric NAME, from before the exposure, for CUPED; repeatable (default: none)",
      addCovariate,
    )
    .option(
      "--decrease <NAME>",
      "table: a metric of which less is better; repeatable (default: none)",
      addText,
    )
    .option(
      "--weights <ARM=WEIGHT,…>",
      "table: what the split promised (default: equal weights)",
      parseWeights,
    )
    .option(
      "--planned-units <COUNT>",
      "table: units of all arms at which one look was planned (default: none was)",
      positiveInteger,
    )
    .option("--alpha <SHARE>", "intervals have the level 1 - alpha", parseAlpha, 0.05)
    .option(
      "--segment <ATTRIBUTE>",
      "experiment: lift by an attribute as logged, such as user.country, or by activity; repeatable (default: none)",
      addSegment,
    )
    .option("--novelty", "experiment: lift by days since a unit's first exposure")
    .option("--over-time", "experiment: the difference so far by day, in --json (always in --html)")
    .option("--distributions", "experiment: units by their values, in --json (always in --html)")
    .option(
      "--policy <ARM=WEIGHT,…>",
      "experiment: what a request would earn were the arms weighted so; repeatable (default: none)",
      addPolicy,
    )
    .option(
      "--calibrate",
      "experiment: deal its units anew under 1,000 salts, whose p-values must be uniform",
    )
    .option(
      "--incremental",
      "experiment: read only what is new of the log, and keep what is known of it in the data directory",
    )
    .option("--json", "print the report as JSON")
    .option("--html <FILE>", "write the report also as one HTML page that needs no network (default: none)")
    .addOption(
      new Option(
        "--engine <NAME>",
        "experiment: what works out the log's heavy half (default: duckdb)",
      ).choices(["duckdb", "spark"]),
    )
    .option("--spark-sql <PROGRAM>", "spark: the spark-sql program (default: the one on the PATH)")
    .option(
      "--spark-conf <KEY=VALUE>",
      "spark: a setting, such as spark.master=yarn; repeatable (default: Spark's own)",
      addSparkSetting,
    )
    .option(
      "--warehouse <URL>",
      "spark: where the cluster finds the data directory's warehouse (default: the data directory itself)",
    )
    .addHelpText(
      "after",
      "\nExit code 3 where the experiment is not healthy: there is a report, and no verdict.",
    )
    .action(async (flags: AnalyzeFlags) => {
      const report = await analyze(flags);
      const { renderPage, renderReport } = await import("../report/report.ts");
      process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
      if (flags.html !== undefined) await writePage(flags.html, await renderPage(report));
      if (!report.srm.ok || !report.health.ok) process.exitCode = exitNotHealthy;
    });
}

/** The report has been printed by then: a page that cannot be written loses nothing. */
async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    throw new UsageError(`cannot write the page to ${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function analyze(flags: AnalyzeFlags): Promise<AnalysisReport> {
  refuseWithoutSpark(flags);
  const { experiment, table } = flags;
  if (experiment !== undefined && table === undefined) return analyzeLog(experiment, flags);
  if (table !== undefined && experiment === undefined) return analyzeFile(table, flags);
  throw new UsageError(
    `expected --experiment ID or --table FILE${experiment === undefined ? "" : ", not both"}`,
  );
}

async function analyzeLog(experiment: string, flags: AnalyzeFlags): Promise<AnalysisReport> {
  refuseForLog(flags);
  const { analyzeDataDirectory } = await import("../app/data/analyze-data.ts");
  const { dataDir, experimentStore } = loadConfig({
    flags: { dataDir: flags.dataDir },
    env: process.env,
    cwd: process.cwd(),
  });
  const bar = segmentBar("analysing", process.stderr, "steps");
  const salts = segmentBar("calibrating", process.stderr, "salts");
  return analyzeDataDirectory({
    experiment,
    dataDir,
    experimentStore,
    alpha: flags.alpha,
    spark: sparkCluster(flags),
    incremental:
      flags.incremental === true
        ? { onNotice: (sentence) => process.stderr.write(`${sentence}\n`) }
        : undefined,
    designs: {
      segments: flags.segment,
      novelty: flags.novelty,
      overTime: flags.overTime,
      distributions: flags.distributions,
      page: flags.html !== undefined,
      trigger: true,
      policies: flags.policy,
      calibrate: flags.calibrate === true ? { onProgress: salts.update } : undefined,
    },
    onProgress(done, of) {
      bar.update(done, of);
      if (done === of) bar.stop();
    },
  }).finally(() => {
    bar.stop();
    salts.stop();
  });
}

async function analyzeFile(file: string, flags: AnalyzeFlags): Promise<AnalysisReport> {
  refuseForTable(flags);
  const { analyzeTable } = await import("../analysis/analysis.ts");
  const { parseTableMetric } = await import("../measurement/measurement.ts");
  return analyzeTable({
    file,
    unit: flags.unit ?? "",
    arm: flags.arm ?? "",
    control: flags.control ?? "",
    metrics: (flags.metric ?? []).map((text) => asUsage(() => parseTableMetric(text))),
    covariates: flags.covariate ?? new Map(),
    decrease: flags.decrease,
    weights: flags.weights,
    plannedUnits: flags.plannedUnits,
    alpha: flags.alpha,
    asOf: new Date(),
  });
}

/** What is wrong with a flag is wrong usage, not a failure. */
function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SetlistError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
