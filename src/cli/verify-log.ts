import { join } from "node:path";
import { Command } from "commander";
import { type LogSalvage, type SegmentLoss, salvageDataDirectory } from "../app/data/salvage-data.ts";
import { hasLog, type LogVerification, verifyDataDirectory } from "../app/data/verify-data.ts";
import { loadConfig } from "../config.ts";
import { count, counted } from "../domain/number-text.ts";
import { exitFailed } from "./exit-codes.ts";
import { segmentBar } from "./segment-bar.ts";

interface VerifyLogFlags {
  readonly dataDir?: string;
  readonly salvage?: string;
  readonly json?: boolean;
}

/** Of one segment; `--json` has all. */
const shownPlacesMax = 5;

/** `setlist verify-log`: checks every record of the log, or salvages those that are good; exit code 1 where one is damaged. */
export function verifyLogCommand(): Command {
  return new Command("verify-log")
    .description("Check every record of the log in a data directory. Changes nothing.")
    .option("--data-dir <FOLDER>", "the data directory; a server may be using it (default: ./data)")
    .option(
      "--salvage <FOLDER>",
      "write every good record into a new log, FOLDER/log, and count what is lost; a new or empty folder (default: none)",
    )
    .option("--json", "print the counts and the damage as JSON")
    .addHelpText(
      "after",
      "\nExit code 1 where a record is damaged, or, of a salvage, lost. A torn tail is no damage: the next start cuts it.\n" +
        "docs/outcome-log-format.md says how a salvaged log takes the damaged one's place.",
    )
    .action(async ({ json, salvage, ...flags }: VerifyLogFlags) => {
      const { dataDir } = loadConfig({ flags, env: process.env, cwd: process.cwd() });
      if (salvage !== undefined) {
        const bar = segmentBar("salvaging", process.stderr);
        const options = { dataDir, into: salvage, onProgress: bar.update };
        const salvaged = await salvageDataDirectory(options).finally(bar.stop);
        process.stdout.write(
          `${json === true ? JSON.stringify(salvaged) : describeSalvage(salvaged, salvage)}\n`,
        );
        if (salvaged.losses.some(({ records }) => records !== 0)) process.exitCode = exitFailed;
        return;
      }
      if (json !== true && !hasLog(dataDir)) {
        process.stdout.write(
          `There is no log in ${dataDir}: no server has written one there yet, or it is the wrong folder; --data-dir names another.\n`,
        );
        return;
      }
      const verification = await verifyDataDirectory(dataDir);
      process.stdout.write(`${json === true ? JSON.stringify(verification) : describe(verification)}\n`);
      if (verification.corrupt.length > 0) process.exitCode = exitFailed;
    });
}

function describe({ impressions, outcomes, shadows, truncatedBytes, corrupt }: LogVerification): string {
  const lines = [`${counted(impressions, "impression")} and ${counted(outcomes, "outcome")} are whole.`];
  if (shadows !== undefined)
    lines.push(
      `${shadows === 1 ? "So is" : "So are"} ${counted(shadows, "comparison")} with shadow models and other arms.`,
    );
  if (truncatedBytes > 0) {
    lines.push(
      `The last ${counted(truncatedBytes, "byte is", "bytes are")} no whole record: a write that was cut short. The next start cuts them.`,
    );
  }
  for (const { segment, offset, record, reason } of corrupt) {
    lines.push(`Damaged: segment ${segment}, record ${record} at offset ${offset}: ${reason}.`);
  }
  if (corrupt.length > 0) {
    lines.push(
      "A server does not start on this log: --salvage FOLDER keeps what is good, docs/outcome-log-format.md says more.",
    );
  }
  return lines.join("\n");
}

function describeSalvage(salvaged: LogSalvage, into: string): string {
  const { impressions, outcomes, shadows, segments, truncatedBytes, lostRecords, losses } = salvaged;
  const lines = [
    `${join(into, "log")} holds ${counted(impressions, "impression")}, ${counted(outcomes, "outcome")} and ${counted(shadows, "comparison")} in ${counted(segments, "segment")}.`,
  ];
  if (truncatedBytes > 0) {
    lines.push(
      `Left out: ${counted(truncatedBytes, "byte")} of a write that was cut short, which no start would have kept.`,
    );
  }
  for (const loss of losses) lines.push(...describeLoss(loss));
  const unsure = losses.some(({ records }) => records === null);
  lines.push(
    `Lost: ${counted(lostRecords, "record")}${unsure ? ", and those of segments of which nothing says how many they had" : ""}.`,
  );
  return lines.join("\n");
}

function describeLoss({ segment, records, bytes, places }: SegmentLoss): string[] {
  const lost = records === null ? "nobody can say how many records" : counted(records, "record");
  const lines = [`Segment ${segment}: ${lost}, ${counted(bytes, "byte")}.`];
  for (const place of places.slice(0, shownPlacesMax)) {
    lines.push(`  ${counted(place.bytes, "byte")} at offset ${place.offset}: ${place.reason}`);
  }
  const more = places.length - shownPlacesMax;
  if (more > 0) lines.push(`  and ${count(more)} more places, which --json lists`);
  return lines;
}
