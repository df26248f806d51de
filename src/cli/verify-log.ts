import { Command } from "commander";
import { type LogVerification, verifyDataDirectory } from "../app/verify-data.ts";
import { loadConfig } from "../config.ts";

interface VerifyLogFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** `setlist verify-log`: checks every record of the log; exit code 1 where one is damaged. */
export function verifyLogCommand(): Command {
  return new Command("verify-log")
    .description(
      "Check every record of the log in a data directory. Changes nothing; a server may be running.",
    )
    .option("--data-dir <folder>", "the data directory (default: ./data)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit code 1 where a record is damaged. A torn tail is no damage: the next start cuts it.",
    )
    .action(async ({ json, ...flags }: VerifyLogFlags) => {
      const { dataDir } = loadConfig({ flags, env: process.env, cwd: process.cwd() });
      const verification = await verifyDataDirectory(dataDir);
      process.stdout.write(`${json === true ? JSON.stringify(verification) : describe(verification)}\n`);
      if (verification.corrupt.length > 0) process.exitCode = 1;
    });
}

function describe({ impressions, outcomes, shadows, truncatedBytes, corrupt }: LogVerification): string {
  const lines = [`${count(impressions)} impressions and ${count(outcomes)} outcomes are whole.`];
  if (shadows !== undefined)
    lines.push(`So are ${count(shadows)} comparisons with shadow models and other arms.`);
  if (truncatedBytes > 0) {
    lines.push(
      `The last ${count(truncatedBytes)} bytes are no whole record: a write that was cut short. The next start cuts them.`,
    );
  }
  for (const { segment, offset, record, reason } of corrupt) {
    lines.push(`Damaged: segment ${segment}, record ${record} at offset ${offset}: ${reason}.`);
  }
  if (corrupt.length > 0)
    lines.push("A server does not start on this log: docs/outcome-log-format.md says what to do.");
  return lines.join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
