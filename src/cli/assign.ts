import Table from "cli-table3";
import { Command } from "commander";
import { assignUnit, doubtOf } from "../app/data/experiments-data.ts";
import { serverAssignments } from "../client/client.ts";
import { loadConfig } from "../config.ts";
import type { UnitAssignments } from "../domain/assignment.ts";
import type { TargetingAttributes } from "../experiments/experiments.ts";
import { attributesFlag } from "./attributes.ts";
import { type PlaceFlags, print, refuseBothPlaces, withPlaceFlags } from "./experiment-place-flags.ts";

interface AssignFlags extends PlaceFlags {
  readonly unit: string;
  readonly session?: string;
  readonly requestId?: string;
  readonly attributes?: TargetingAttributes;
}

/** `setlist assign`: what one unit gets, and why not. Asking is no exposure: nothing is recorded. */
export function assignCommand(): Command {
  const command = new Command("assign")
    .description("Say which arms a unit gets, and why for each experiment that it does not enter.")
    .requiredOption("--unit <ID>", "the user's id")
    .option("--session <ID>", "the session, for experiments whose unit is session (default: none)")
    .option("--request-id <ID>", "the request, for experiments whose unit is request (default: none)")
    .option(
      "--attributes <JSON>",
      'for targeting, such as {"user": {"country": "DE"}, "context": {}} (default: none)',
      attributesFlag,
    );
  return withPlaceFlags(command).action(async (flags: AssignFlags) => {
    const { answer, doubt } = await asked(flags);
    print(flags, answer, () => renderAssignments(answer) + (doubt === undefined ? "" : `${doubt}\n`));
  });
}

/** The answer, and why it may not be what is served. */
async function asked(flags: AssignFlags): Promise<{ answer: UnitAssignments; doubt?: string | undefined }> {
  const { unit, session, requestId, attributes, url, dataDir, config } = flags;
  refuseBothPlaces(flags);
  const facts = { user: {}, context: {}, ...attributes, session, request: requestId };
  if (url !== undefined) return { answer: await serverAssignments(url, unit, facts) };
  const loaded = loadConfig({ flags: { dataDir, config }, env: process.env, cwd: process.cwd() });
  return { answer: await assignUnit(loaded, unit, facts), doubt: doubtOf(loaded) };
}

function renderAssignments({ unit, decisions }: UnitAssignments): string {
  if (decisions.length === 0) return `There are no experiments: ${unit} gets each surface's default model.\n`;
  const hasHoldouts = decisions.some(({ holdouts }) => holdouts !== undefined);
  const table = new Table({
    head: [
      "experiment",
      "layer",
      "unit",
      "arm",
      "reason",
      "in layer",
      "among arms",
      ...(hasHoldouts ? ["in holdouts"] : []),
    ],
    style: { head: [], border: [] },
  });
  for (const decision of decisions) {
    const { experiment, layer, reason, layerBucket, armBucket, holdouts = [] } = decision;
    const places = holdouts.map(({ holdout, bucket }) => `${holdout} ${place(bucket)}`).join("\n");
    table.push([
      experiment,
      layer,
      decision.unit ?? "-",
      decision.arm ?? "-",
      reason,
      place(layerBucket),
      place(armBucket),
      ...(hasHoldouts ? [places || "-"] : []),
    ]);
  }
  const details = decisions.map(({ experiment, detail }) => `${experiment}: ${detail}\n`);
  return `Unit ${unit}\n${table.toString()}\n${details.join("")}`;
}

function place(bucket: number | undefined): string {
  return bucket?.toFixed(6) ?? "-";
}
