import { Command } from "commander";
import type { Compaction } from "../app/data/compact-data.ts";
import { loadConfig } from "../config.ts";
import { count, counted } from "../domain/number-text.ts";
import { segmentBar } from "./segment-bar.ts";

interface CompactFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** A server beside us takes a second a segment or two. */
const waitMsMax = 60_000;

/** `setlist compact`: the sealed segments of the log as Parquet, each exactly once. DuckDB is loaded once asked for. */
export function compactCommand(): Command {
  return new Command("compact")
    .description(
      "Write the log's sealed segments as Parquet files by date, for training and for any table reader.",
    )
    .option("--data-dir <FOLDER>", "the data directory; a server may be using it (default: ./data)")
    .option("--json", "print the counts as JSON")
    .addHelpText(
      "after",
      "\nThe files stand in warehouse/ of the data directory; docs/outcome-log-format.md has the columns. The segment\n" +
        "that a running server writes waits until it is sealed: when it is full, ten minutes old (log.segmentAgeMax), or when it stops.\n" +
        "Killed at any moment, the next run goes on; nothing is written twice. A server does the same by itself; while it\n" +
        "does, this waits. Where the configuration has a retention, what it says is deleted afterwards.",
    )
    .action(async ({ json, ...flags }: CompactFlags) => {
      const { dataDir, log, warehouse, shipping } = loadConfig({
        flags,
        env: process.env,
        cwd: process.cwd(),
      });
      const { compactDataDirectory } = await import("../app/data/compact-data.ts");
      const bar = segmentBar("compacting", process.stderr);
      const compaction = await compactDataDirectory({
        dataDir,
        retention: { log, warehouse, shipping },
        waitMsMax,
        onProgress: bar.update,
        onWarning: (message) => void process.stderr.write(`setlist: ${message}\n`),
      }).finally(bar.stop);
      process.stdout.write(`${json === true ? JSON.stringify(compaction) : describe(compaction)}\n`);
    });
}

function describe(compaction: Compaction): string {
  const {
    segments,
    segmentsDoneBefore,
    segmentsOpen,
    impressions,
    outcomes,
    shadows,
    counterfactuals,
    retained,
  } = compaction;
  const lines = [
    `${counted(impressions, "impression")} and ${counted(outcomes, "outcome")} of ${counted(segments, "segment")} are Parquet now; ${counted(segmentsDoneBefore, "segment was", "segments were")} before.`,
  ];
  if (shadows !== undefined)
    lines.push(`${shadows === 1 ? "So is" : "So are"} ${counted(shadows, "comparison")} with shadow models.`);
  if (counterfactuals !== undefined)
    lines.push(
      `${counterfactuals === 1 ? "So is" : "So are"} ${counted(counterfactuals, "comparison")} with other arms.`,
    );
  if (retained !== undefined)
    lines.push(
      `Retention deleted ${counted(retained.segments, "segment")} of the log and the Parquet of ${count(retained.parquetSegments)}.`,
    );
  if (segmentsOpen > 0)
    lines.push(
      "What is not sealed yet waits: a server seals a segment when it is full, ten minutes old (log.segmentAgeMax), or when it stops.",
    );
  return lines.join("\n");
}
