import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { AnalysisReport, ArmPolicy, SegmentAttribute } from "../analysis/analysis.ts";
import type { SparkCluster } from "../app/analyze-data.ts";
import { loadConfig } from "../config.ts";
import { SetlistError, UsageError } from "../domain/error.ts";
import { positiveInteger } from "./argument.ts";
import { exitNotHealthy } from "./exit-codes.ts";
import { segmentBar } from "./segment-bar.ts";

interface AnalyzeFlags {
  readonly experiment?: string;
  readonly dataDir?: string;
  readonly table?: string;
  readonly unit?: string;
  readonly arm?: string;
  readonly control?: string;
  readonly metric?: readonly string[];
  readonly covariate?: ReadonlyMap<string, readonly string[]>;
  readonly decrease?: readonly string[];
  readonly weights?: ReadonlyMap<string, number>;
  readonly plannedUnits?: number;
  readonly alpha: number;
  readonly json?: boolean;
  readonly html?: string;
  readonly engine?: "duckdb" | "spark";
  readonly sparkSql?: string;
  readonly sparkConf?: readonly string[];
  readonly warehouse?: string;
  readonly segment?: readonly SegmentAttribute[];
  readonly novelty?: boolean;
  readonly overTime?: boolean;
  readonly distributions?: boolean;
  readonly policy?: readonly ArmPolicy[];
  readonly calibrate?: boolean;
  readonly incremental?: boolean;
}

/** What only a log can be asked. */
const logFlags = {
  segment: "segment",
  novelty: "novelty",
  overTime: "over-time",
  distributions: "distributions",
  policy: "policy",
  calibrate: "calibrate",
  incremental: "incremental",
} as const;
const tableFlags = [
  "unit",
  "arm",
  "control",
  "metric",
  "covariate",
  "decrease",
  "weights",
  "plannedUnits",
] as const;
/** And as they are written. */
const sparkFlags = { sparkSql: "spark-sql", sparkConf: "spark-conf", warehouse: "warehouse" } as const;
const tableFlagsNeeded = ["unit", "arm", "control", "metric"] as const;

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
      addMetric,
    )
    .option(
      "--covariate <NAME=COLUMN>",
      "table: a covariate of metric NAME, from before the exposure, for CUPED; repeatable (default: none)",
      addCovariate,
    )
    .option(
      "--decrease <NAME>",
      "table: a metric of which less is better; repeatable (default: none)",
      addMetric,
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
      if (!report.srm.ok || report.health?.ok === false) process.exitCode = exitNotHealthy;
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
  const spark = sparkCluster(flags);
  const { experiment, table, alpha } = flags;
  if ((experiment === undefined) === (table === undefined)) {
    throw new UsageError(
      `expected --experiment ID or --table FILE${experiment === undefined ? "" : ", not both"}`,
    );
  }
  if (experiment !== undefined) {
    const stray = tableFlags.find((name) => flags[name] !== undefined);
    if (stray !== undefined)
      throw new UsageError(
        `--${stray === "plannedUnits" ? "planned-units" : stray} goes with --table, not with --experiment`,
      );
    if (spark !== undefined && flags.incremental === true)
      throw new UsageError("--incremental goes with --engine duckdb, not with spark");
    const { analyzeDataDirectory } = await import("../app/analyze-data.ts");
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
      alpha,
      spark,
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
  for (const [name, written] of Object.entries(logFlags)) {
    if (flags[name as keyof typeof logFlags] !== undefined)
      throw new UsageError(`--${written} goes with --experiment, not with --table`);
  }
  if (flags.engine !== undefined) throw new UsageError("--engine goes with --experiment, not with --table");
  const missing = tableFlagsNeeded.find((name) => flags[name] === undefined);
  if (missing !== undefined) throw new UsageError(`--table needs --${missing}`);
  if (flags.dataDir !== undefined)
    throw new UsageError("--data-dir goes with --experiment, not with --table");
  const { analyzeTable, parseTableMetric } = await import("../analysis/analysis.ts");
  return analyzeTable({
    file: table ?? "",
    unit: flags.unit ?? "",
    arm: flags.arm ?? "",
    control: flags.control ?? "",
    metrics: (flags.metric ?? []).map((text) => asUsage(() => parseTableMetric(text))),
    covariates: flags.covariate ?? new Map(),
    decrease: flags.decrease,
    weights: flags.weights,
    plannedUnits: flags.plannedUnits,
    alpha,
    asOf: new Date(),
  });
}

function sparkCluster(flags: AnalyzeFlags): SparkCluster | undefined {
  if (flags.engine === "spark") {
    return {
      // Spark is started in a folder of its own.
      program: flags.sparkSql?.includes("/") ? resolve(flags.sparkSql) : (flags.sparkSql ?? "spark-sql"),
      settings: flags.sparkConf ?? [],
      warehouse: flags.warehouse,
    };
  }
  for (const [name, written] of Object.entries(sparkFlags)) {
    if (flags[name as keyof typeof sparkFlags] !== undefined)
      throw new UsageError(`--${written} goes with --engine spark`);
  }
  return undefined;
}

function addSparkSetting(text: string, before: readonly string[] | undefined): string[] {
  if (!/^[^=\s]+=/.test(text)) throw new InvalidArgumentError("expected KEY=VALUE.");
  return [...(before ?? []), text];
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

function addMetric(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function addCovariate(
  text: string,
  before: ReadonlyMap<string, readonly string[]> | undefined,
): ReadonlyMap<string, readonly string[]> {
  const split = text.indexOf("=");
  const name = text.slice(0, split);
  if (split < 1 || split === text.length - 1) throw new InvalidArgumentError("expected NAME=COLUMN.");
  const column = text.slice(split + 1);
  const others = before?.get(name) ?? [];
  if (others.includes(column)) throw new InvalidArgumentError(`metric ${name} already has ${column}.`);
  return new Map([...(before ?? []), [name, [...others, column]]]);
}

function addSegment(
  text: string,
  before: readonly SegmentAttribute[] | undefined,
): readonly SegmentAttribute[] {
  const attribute = segmentIn(text);
  if (before?.some((one) => JSON.stringify(one) === JSON.stringify(attribute)))
    throw new InvalidArgumentError(`"${text}" is named twice.`);
  return [...(before ?? []), attribute];
}

function segmentIn(text: string): SegmentAttribute {
  if (text === "activity") return { of: text };
  if (text.startsWith("item.")) {
    throw new InvalidArgumentError(
      "a unit sees many items: declare a metric with a filter on items, such as item.features.isNew == true.",
    );
  }
  const [, of, name] = /^(user|context)\.(.+)$/s.exec(text) ?? [];
  if ((of !== "user" && of !== "context") || name === undefined)
    throw new InvalidArgumentError("expected user.NAME, context.NAME or activity, such as user.country.");
  return { of, name };
}

/** Weights as of a split; the policy has them as probabilities. */
function addPolicy(text: string, before: readonly ArmPolicy[] | undefined): readonly ArmPolicy[] {
  const weights = parseWeights(text);
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const policy = new Map([...weights].map(([arm, weight]) => [arm, weight / total]));
  return [...(before ?? []), policy];
}

/** `control=1,treated=1`; an arm's name may hold `=`, but no comma. */
function parseWeights(text: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of text.split(",")) {
    const split = part.lastIndexOf("=");
    const weight = Number(part.slice(split + 1));
    const valid = split > 0 && split < part.length - 1 && Number.isFinite(weight) && weight >= 0;
    if (!valid) throw new InvalidArgumentError(`expected ARM=WEIGHT, a weight from 0, got "${part}".`);
    if (weights.has(part.slice(0, split))) throw new InvalidArgumentError(`"${part}" repeats an arm.`);
    weights.set(part.slice(0, split), weight);
  }
  if ([...weights.values()].every((weight) => weight === 0)) {
    throw new InvalidArgumentError("expected a weight above 0 for at least one arm.");
  }
  return weights;
}

/** Half of it, shared among many comparisons, is to be a number above 0 still. */
const alphaMin = 1e-100;

function parseAlpha(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= alphaMin && value < 1) return value;
  throw new InvalidArgumentError("expected a number between 0 and 1, such as 0.05.");
}
