/**
 * How long an analysis of a large log takes, and how much memory: `npm run loadtest:analysis -- --outcomes 10000000`, or of
 * several sizes `--sizes 1000000,10000000`. Each log is made first (`made-log.ts`), in `--folder`, where it stays and is used
 * again, or in a temporary folder; each analysis is a process of its own (`analysis-run.ts`).
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { positiveInteger } from "../src/cli/argument.ts";
import type { AnalysisRun } from "./analysis-run.ts";
import { drawLinePlot } from "./line-plot.ts";
import { madeLog, madeLogBytes } from "./made-log.ts";

const {
  outcomes,
  sizes = [outcomes],
  folder: kept,
  plot,
} = new Command("loadtest:analysis")
  .description("Make logs as Parquet, analyse each, and say how long that takes and how much memory.")
  .option("--outcomes <COUNT>", "outcomes of the log", positiveInteger, 1_000_000)
  .option("--sizes <COUNT,…>", "of several logs, by commas", (text) => text.split(",").map(positiveInteger))
  .option("--folder <FOLDER>", "where the logs stay, to be used again (default: a temporary one)")
  .option("--plot <FILE>", "save the time by size, as SVG (default: not)")
  .allowExcessArguments(false)
  .parse()
  .opts<{
    readonly outcomes: number;
    readonly sizes?: readonly number[];
    readonly folder?: string;
    readonly plot?: string;
  }>();
const folder = kept === undefined ? await mkdtemp(join(tmpdir(), "setlist-made-log-")) : resolve(kept);

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const millions = (count: number): string => `${Number((count / 1e6).toPrecision(3))} M`;

async function measured(size: number): Promise<AnalysisRun> {
  const run = join(import.meta.dirname, "analysis-run.ts");
  const child = promisify(execFile)(process.execPath, [run, folder, String(size)]);
  child.child.stderr?.pipe(process.stderr);
  return JSON.parse((await child).stdout) as AnalysisRun;
}

function tableRow(run: AnalysisRun, bytes: number): string {
  const { seconds, scanSeconds, statisticsMs, cpuSeconds, peakBytes } = run;
  const cells = [
    `${millions(run.outcomes)} outcomes, ${millions(run.impressions)} impressions of ${millions(run.units)} units, ${gib(bytes)}`,
    `${seconds.toFixed(1)} s`,
    `${(seconds / (run.outcomes / 1e6)).toFixed(2)} s`,
    `${cpuSeconds.toFixed(1)} s`,
    gib(peakBytes),
    `${statisticsMs.toFixed(0)} ms`,
    `${scanSeconds.toFixed(1)} s`,
    (seconds / scanSeconds).toFixed(1),
  ];
  return `| ${cells.join(" | ")} |`;
}

try {
  const runs: AnalysisRun[] = [];
  const rows: string[] = [];
  for (const size of sizes) {
    const began = performance.now();
    await madeLog(folder, size);
    console.log(
      `log of ${size} outcomes: ${((performance.now() - began) / 1_000).toFixed(1)} s to make or find`,
    );
    const run = await measured(size);
    runs.push(run);
    rows.push(tableRow(run, await madeLogBytes(folder, size)));
    console.log(`${rows.at(-1)} load average ${loadavg()[0]?.toFixed(1)}`);
  }
  console.log(
    "\n| log | time | of a million outcomes | CPU | peak memory | statistics | plain scan | time / scan |\n|---|---|---|---|---|---|---|---|",
  );
  console.log(rows.join("\n"));
  if (plot !== undefined) await writeFile(plot, drawRuns(runs));
} finally {
  if (kept === undefined) await rm(folder, { recursive: true, force: true });
}

function drawRuns(runs: readonly AnalysisRun[]): string {
  const line = (of: (run: AnalysisRun) => number) =>
    runs.map((run): [number, number] => [run.outcomes / 1e6, of(run)]);
  return drawLinePlot({
    title: "Analysis of a log, by its size",
    subtitle: "five metrics with CUPED, 2 virtual CPUs",
    x: { label: "million outcomes", scale: "log" },
    y: { label: "seconds", scale: "log" },
    series: [
      { name: "analysis", points: line(({ seconds }) => seconds) },
      { name: "plain scan", points: line(({ scanSeconds }) => scanSeconds) },
    ],
  });
}
