/** The flags of `setlist analyze`, and which of them go together. */
import { resolve } from "node:path";
import type { SparkCluster } from "../app/data/analyze-data.ts";
import type { ArmPolicy, SegmentAttribute } from "../designs/designs.ts";
import { UsageError } from "../domain/error.ts";

export interface AnalyzeFlags {
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

/** What only a log can be asked, and how it is written. */
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
const sparkFlags = { sparkSql: "spark-sql", sparkConf: "spark-conf", warehouse: "warehouse" } as const;
const tableFlagsNeeded = ["unit", "arm", "control", "metric"] as const;

export function refuseForLog(flags: AnalyzeFlags): void {
  const stray = tableFlags.find((name) => flags[name] !== undefined);
  if (stray !== undefined)
    throw new UsageError(
      `--${stray === "plannedUnits" ? "planned-units" : stray} goes with --table, not with --experiment`,
    );
  if (flags.engine === "spark" && flags.incremental === true)
    throw new UsageError("--incremental goes with --engine duckdb, not with spark");
}

export function refuseForTable(flags: AnalyzeFlags): void {
  for (const [name, written] of Object.entries(logFlags)) {
    if (flags[name as keyof typeof logFlags] !== undefined)
      throw new UsageError(`--${written} goes with --experiment, not with --table`);
  }
  if (flags.engine !== undefined) throw new UsageError("--engine goes with --experiment, not with --table");
  const missing = tableFlagsNeeded.find((name) => flags[name] === undefined);
  if (missing !== undefined) throw new UsageError(`--table needs --${missing}`);
  if (flags.dataDir !== undefined)
    throw new UsageError("--data-dir goes with --experiment, not with --table");
}

export function refuseWithoutSpark(flags: AnalyzeFlags): void {
  if (flags.engine === "spark") return;
  for (const [name, written] of Object.entries(sparkFlags)) {
    if (flags[name as keyof typeof sparkFlags] !== undefined)
      throw new UsageError(`--${written} goes with --engine spark`);
  }
}

/** Undefined without `--engine spark`. */
export function sparkCluster(flags: AnalyzeFlags): SparkCluster | undefined {
  if (flags.engine !== "spark") return undefined;
  return {
    // Spark is started in a folder of its own.
    program: flags.sparkSql?.includes("/") ? resolve(flags.sparkSql) : (flags.sparkSql ?? "spark-sql"),
    settings: flags.sparkConf ?? [],
    warehouse: flags.warehouse,
  };
}
