/**
 * How long an analysis of a large log takes, and how much memory: `npm run loadtest:analysis -- --outcomes 10000000`.
 * The log is made first (`made-log.ts`), in `--folder`, where it stays and is used again, or in a temporary folder.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { analyzeExperiment } from "../src/analysis/analysis.ts";
import { positiveInteger } from "../src/cli/argument.ts";
import type { Experiment } from "../src/domain/experiment.ts";
import { type MadeLog, makeLog } from "./made-log.ts";

const { outcomes, folder: kept } = new Command("analysis-bench")
  .description("Makes a log as Parquet, analyses it, and says how long that takes and how much memory.")
  .option("--outcomes <count>", "outcomes of the log", positiveInteger, 1_000_000)
  .option("--folder <folder>", "where the log stays, to be used again (default: a temporary one)")
  .allowExcessArguments(false)
  .parse()
  .opts<{ readonly outcomes: number; readonly folder?: string }>();
const folder = kept === undefined ? await mkdtemp(join(tmpdir(), "setlist-made-log-")) : resolve(kept);

const mean = { type: "mean", goal: "increase", role: "secondary" } as const;
const experiment: Experiment = {
  id: "home-kd",
  description: "",
  surface: "home",
  layer: "home-ranker",
  unit: "user",
  salt: "home-kd",
  traffic: 1,
  status: "running",
  arms: [
    { id: "control", control: true, weight: 1, model: { name: "home-control" } },
    { id: "kd", control: false, weight: 1, model: { name: "home-kd" } },
  ],
  overrides: {},
  metrics: [
    { ...mean, id: "completions", outcome: "completion", aggregate: "count", role: "primary" },
    { ...mean, id: "seconds", outcome: "play", aggregate: "sum" },
    { ...mean, id: "liked", type: "proportion", outcome: "like", aggregate: "any" },
  ],
  attributionWindow: "7d",
  revision: 1,
  phase: 1,
  ranges: [{ from: 0, to: 1 }],
};

/** The log that an earlier run left in the folder. */
async function standing(): Promise<MadeLog | undefined> {
  const filesOf = async (table: string): Promise<string[]> => {
    const below = join(folder, table, "date=2026-11-22");
    return (await readdir(below).catch(() => [])).sort().map((name) => join(below, name));
  };
  const log = {
    impressions: await filesOf("impressions"),
    outcomes: await filesOf("outcomes"),
    missingBefore: undefined,
  };
  return log.outcomes.length > 0 ? log : undefined;
}

const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`;
try {
  let began = performance.now();
  const files = (await standing()) ?? (await makeLog(folder, outcomes));
  console.log(`log of ${outcomes} outcomes: ${seconds(began)} to make or find`);
  began = performance.now();
  let step = performance.now();
  const report = await analyzeExperiment({
    experiment,
    files,
    alpha: 0.05,
    asOf: new Date(),
    onProgress: (done, of) => {
      console.log(`  step ${done} of ${of}: ${seconds(step)}`);
      step = performance.now();
    },
  });
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpu = ((userCPUTime + systemCPUTime) / 1e6).toFixed(1);
  console.log(JSON.stringify({ ...report, metrics: report.metrics.map(({ arms }) => arms) }));
  console.log(
    `analysis: ${seconds(began)}; the process: ${cpu} s of CPU, peak RSS ${(maxRSS / 2 ** 20).toFixed(2)} GiB`,
  );
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}
