import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { IngestProgress } from "../app/data/ingest-topics.ts";
import { loadConfig } from "../config.ts";
import { brokerPattern } from "../domain/kafka.ts";
import { count, counted } from "../domain/number-text.ts";
import { wholeNumberTo } from "./argument.ts";
import { exitInterrupted } from "./exit-codes.ts";

interface IngestFlags {
  readonly out: string;
  readonly brokers?: readonly string[];
  readonly topicPrefix?: string;
  readonly config?: string;
  readonly batchMb: number;
  readonly batchSeconds: number;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** `setlist ingest`: the records that servers have sent to Kafka, as Parquet. DuckDB is loaded once asked for. */
export function ingestCommand(): Command {
  return new Command("ingest")
    .description("Land what the servers of a fleet have sent to Kafka as Parquet files, each record once.")
    .requiredOption(
      "--out <FOLDER>",
      "the folder of the Parquet files, in its warehouse/; made where it is missing",
    )
    .option(
      "--brokers <HOST:PORT,…>",
      "the brokers of the cluster (default: the configuration's shipping.brokers)",
      brokers,
    )
    .option(
      "--topic-prefix <PREFIX>",
      "of the topics' names (default: the configuration's shipping.topicPrefix)",
    )
    .option(
      "--config <FILE>",
      "the configuration, whose shipping section has TLS and SASL (default: config/setlist.yaml)",
    )
    .option("--batch-mb <MEGABYTES>", "land a batch once it has so many megabytes", wholeNumberTo(1_024), 128)
    .option(
      "--batch-seconds <SECONDS>",
      "or once its first message is so many seconds old",
      wholeNumberTo(86_400),
      60,
    )
    .option(
      "--once",
      "end once everything is landed that was there at the start (default: go on until SIGINT or SIGTERM)",
    )
    .option("--json", "print the counts as JSON")
    .addHelpText(
      "after",
      "\nThe files have the columns of a server's own warehouse (docs/outcome-log-format.md), and setlist analyze\n" +
        "--data-dir FOLDER reads them. How far the topics are landed stands beside the files, not in Kafka: killed at any\n" +
        "moment, the next run goes on, and nothing is lost or landed twice. One process writes to a folder at a time.",
    )
    .action(ingest);
}

async function ingest(flags: IngestFlags): Promise<void> {
  const { shipping } = loadConfig({
    flags: { config: flags.config },
    env: process.env,
    cwd: process.cwd(),
  });
  const { ingestToFolder } = await import("../app/data/ingest-topics.ts");
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  for (const signal of endings) process.on(signal, onSignal);
  const began = performance.now();
  try {
    const progress = await ingestToFolder({
      cluster: {
        ...shipping,
        ...(flags.brokers !== undefined && { brokers: flags.brokers }),
        ...(flags.topicPrefix !== undefined && { topicPrefix: flags.topicPrefix }),
      },
      out: resolve(flags.out),
      batchBytesMax: flags.batchMb * 1_000_000,
      batchMsMax: flags.batchSeconds * 1_000,
      once: flags.once === true,
      signal: stop.signal,
      onWarning: (warning) => process.stderr.write(`setlist: ${warning}\n`),
      onProgress(progress) {
        if (process.stderr.isTTY) process.stderr.write(`${describe(progress, began)}\n`);
      },
    });
    process.stdout.write(`${flags.json === true ? JSON.stringify(progress) : describe(progress, began)}\n`);
    // Without --once a signal is how it ends.
    if (flags.once === true && stop.signal.aborted) process.exitCode = exitInterrupted;
  } finally {
    for (const signal of endings) process.off(signal, onSignal);
  }
}

const endings = ["SIGINT", "SIGTERM"] as const;

function describe(progress: IngestProgress, began: number): string {
  const { batches, impressions, outcomes, comparisons, duplicates, refused, lost, behind } = progress;
  const seconds = (performance.now() - began) / 1_000;
  const records = impressions + outcomes + comparisons;
  const parts = [
    `${counted(impressions, "impression")}, ${counted(outcomes, "outcome")} and ${counted(comparisons, "comparison")} in ${counted(batches, "batch", "batches")} (${count(Math.round(records / seconds))} a second)`,
    `${count(duplicates)} were sent again and left out`,
    `${count(behind)} wait`,
  ];
  if (refused > 0) parts.push(`${count(refused)} messages were no records`);
  if (lost > 0) parts.push(`${count(lost)} messages were gone from the topics`);
  return parts.join("; ");
}

function brokers(text: string): readonly string[] {
  const list = text.split(",").map((one) => one.trim());
  const wrong = list.find((one) => !new RegExp(brokerPattern).test(one));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`expected host:port, got ${JSON.stringify(wrong)}.`);
  return list;
}
