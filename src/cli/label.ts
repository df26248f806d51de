import { Command, InvalidArgumentError } from "commander";
import type { Labelling, LabelProgress } from "../app/data/label-data.ts";
import { loadConfig } from "../config.ts";
import { UsageError } from "../domain/error.ts";
import type { ModelRef } from "../domain/model.ts";
import { count, counted } from "../domain/number-text.ts";
import { port, wholeNumberTo } from "./argument.ts";
import { exitInterrupted } from "./exit-codes.ts";
import { segmentBar } from "./segment-bar.ts";

interface LabelFlags {
  readonly dataDir?: string;
  readonly models?: string;
  readonly world?: string;
  readonly teacher?: ModelRef;
  readonly follow?: boolean;
  readonly pollMs?: number;
  readonly metricsPort?: number;
  readonly json?: boolean;
}

/** `setlist label`: the teacher's answer for every logged candidate, once. DuckDB is loaded once asked for. */
export function labelCommand(): Command {
  return new Command("label")
    .description(
      "Score the log's impressions with a teacher, each candidate once, for students to learn from.",
    )
    .option("--models <FOLDER>", "the model repository (default: models/repository)")
    .option("--data-dir <FOLDER>", "the data directory; a server may be using it (default: ./data)")
    .option("--world <FOLDER>", "the folder of users.parquet and items.parquet (default: models/world)")
    .option(
      "--teacher <NAME[@VERSION]>",
      "the teacher (default: the only one of the repository)",
      parseTeacher,
    )
    .option("--follow", "go on whenever a segment is sealed, until SIGINT or SIGTERM")
    .option("--poll-ms <MS>", "follow: how often to look (default: 1000)", wholeNumberTo(pollMsMax))
    .option(
      "--metrics-port <PORT>",
      "follow: serve Prometheus metrics on it, 0 picks a free one (default: none)",
      port,
    )
    .option("--json", "print the counts as JSON")
    .addHelpText(
      "after",
      "\nThe labels stand in labels/ of the data directory; docs/teacher-labels.md has the columns. The segment that a\n" +
        "running server writes waits until it is sealed: when it is full, ten minutes old (log.segmentAgeMax), or when it stops.\n" +
        "Killed at any moment, the next run goes on; no label is written twice.",
    )
    .action(async (flags: LabelFlags) => {
      if (flags.follow !== true) {
        if (flags.metricsPort !== undefined) throw new UsageError("--metrics-port goes with --follow");
        if (flags.pollMs !== undefined) throw new UsageError("--poll-ms goes with --follow");
      }
      await label(flags);
    });
}

async function label(flags: LabelFlags): Promise<void> {
  const { dataDir, models, world } = flags;
  const config = loadConfig({ flags: { dataDir, models, world }, env: process.env, cwd: process.cwd() });
  const { labelDataDirectory, followDataDirectory } = await import("../app/data/label-data.ts");
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const signal of endings) process.on(signal, onSignal);
  const bar = segmentBar("labelling", process.stderr);
  const metrics =
    flags.metricsPort === undefined
      ? undefined
      : await (await import("../telemetry/label-metrics.ts")).serveLabelMetrics(
          config.host,
          flags.metricsPort,
        );
  if (metrics !== undefined) process.stderr.write(`setlist: metrics at ${metrics.url}\n`);
  let last: Labelling | undefined;
  const began = performance.now();
  const options = {
    dataDir: config.dataDir,
    models: config.models,
    world: config.world,
    cacheRowsMax: config.features.cacheRowsMax,
    teacher: flags.teacher,
    signal: stop.signal,
    onWarning: (warning: string) => process.stderr.write(`setlist: ${warning}\n`),
    onProgress(progress: LabelProgress) {
      last = progress.labelling;
      bar.update(progress.done, progress.segments);
      metrics?.observe(progress);
    },
  };
  try {
    if (flags.follow === true) await followDataDirectory(options, flags.pollMs ?? pollMsUsual);
    else last = await labelDataDirectory(options);
  } catch (error) {
    // Asked to stop: the segment under way is abandoned, the next run begins it again.
    if (!stop.signal.aborted || error !== stop.signal.reason) throw error;
    if (flags.follow !== true) process.exitCode = exitInterrupted;
  } finally {
    bar.stop();
    await metrics?.close();
    for (const signal of endings) process.off(signal, onSignal);
  }
  if (last === undefined) return;
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`${flags.json === true ? JSON.stringify(last) : describe(last, seconds)}\n`);
}

const pollMsUsual = 1_000;
/** An hour: what waits longer is better run by a timer of the system. Node's own timers end at 25 days, at once. */
const pollMsMax = 3_600_000;

const endings = ["SIGINT", "SIGTERM"] as const;

function describe(labelling: Labelling, seconds: number): string {
  const { impressions, labelled, alreadyLabelled, unlabelled, coverage, delayMs, teacher } = labelling;
  const { pseudonymous = 0 } = labelling;
  const lines = [
    `${teacher.name} version ${teacher.version}: ${counted(labelled, "candidate")} labelled (${count(Math.round(labelled / seconds))} a second, start included), ${counted(alreadyLabelled, "was", "were")} before; ${counted(impressions, "impression")}.`,
    `Coverage of the sealed log ${(100 * coverage).toFixed(2)} %${delayMs === null ? "" : `, newest labelled impression ${(delayMs / 1_000).toFixed(1)} s old`}.`,
  ];
  if (unlabelled > 0)
    lines.push(
      `${counted(unlabelled, "candidate has", "candidates have")} no label: ${counted(unlabelled - pseudonymous, "has", "have")} features that do not fit the teacher, ${counted(pseudonymous, "was", "were")} logged with a pseudonym and without the user's features as served.`,
    );
  if (labelling.segmentsOpen > 0)
    lines.push(
      "What is not sealed yet waits: a server seals a segment when it is full, ten minutes old (log.segmentAgeMax), or when it stops.",
    );
  return lines.join("\n");
}

function parseTeacher(text: string): ModelRef {
  const [name = "", version, ...rest] = text.split("@");
  if (name === "" || version === "" || rest.length > 0)
    throw new InvalidArgumentError("expected NAME or NAME@VERSION.");
  return { name, version };
}
