import Table from "cli-table3";
import { Command } from "commander";
import { assignUnit, type UnitAssignments } from "../app/experiments-data.ts";
import { loadConfig } from "../config.ts";
import type { TargetingAttributes } from "../experiments/experiments.ts";
import { attributesFlag } from "./attributes.ts";

interface AssignFlags {
  readonly unit: string;
  readonly attributes?: TargetingAttributes;
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** `setlist assign`: what one unit gets, and why not. Asking is no exposure: nothing is recorded. */
export function assignCommand(): Command {
  return new Command("assign")
    .description("Say which arms a unit gets, and why for each experiment that it does not enter.")
    .requiredOption("--unit <id>", "the unit: a user's id")
    .option(
      "--attributes <json>",
      'for targeting: {"user": {"country": "DE"}, "context": {}}',
      attributesFlag,
    )
    .option("--data-dir <folder>", "the server's, for experiments that it keeps (default: ./data)")
    .option("--config <file>", "configuration (default: config/setlist.yaml)")
    .option("--json", "print assignments and decisions as JSON")
    .action(async ({ unit, attributes, json, ...flags }: AssignFlags) => {
      const config = loadConfig({ flags, env: process.env, cwd: process.cwd() });
      const answer = await assignUnit(config, unit, attributes ?? { user: {}, context: {} });
      process.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : renderAssignments(answer));
    });
}

function renderAssignments({ unit, decisions }: UnitAssignments): string {
  if (decisions.length === 0) return `There are no experiments: ${unit} gets each surface's default model.\n`;
  const table = new Table({
    head: ["experiment", "layer", "arm", "reason", "in layer", "among arms"],
    style: { head: [], border: [] },
  });
  for (const { experiment, layer, arm, reason, layerBucket, armBucket } of decisions) {
    table.push([experiment, layer, arm ?? "-", reason, layerBucket.toFixed(6), armBucket.toFixed(6)]);
  }
  const details = decisions.map(({ experiment, detail }) => `${experiment}: ${detail}\n`);
  return `Unit ${unit}\n${table.toString()}\n${details.join("")}`;
}
