import Table from "cli-table3";
import { Command } from "commander";
import { runningModels } from "../client/client.ts";
import type { ModelVersionStatus } from "../domain/model-life.ts";
import { httpAddress } from "./argument.ts";
import { whoRuns } from "./who-runs.ts";

interface ModelsFlags {
  readonly url: string;
  readonly json?: boolean;
}

/** `setlist models`: what a running server serves, and the few ways to change that by hand. */
export function modelsCommand(): Command {
  const group = new Command("models")
    .description("List, load, unload and label the models of a running server.")
    .helpCommand(false);
  const list = new Command("list")
    .description("List every version, its state and its labels.")
    .action(async (flags: ModelsFlags) => {
      const versions = await runningModels(flags.url).versions();
      print(flags, { versions }, () => renderList(versions));
    });
  const load = new Command("load")
    .description("Serve a version that the version policy leaves out.")
    .argument("<MODEL>", "the model's name")
    .argument("<VERSION>", "the version's number")
    .action(async (name: string, version: string, flags: ModelsFlags) => {
      const status = await runningModels(flags.url).load({ name, version });
      print(flags, status, () => `${name}/${version} is ${status.state}\n`);
    });
  const unload = new Command("unload")
    .description("Serve a version no longer. Refused where something needs it.")
    .argument("<MODEL>", "the model's name")
    .argument("<VERSION>", "the version's number")
    .action(async (name: string, version: string, flags: ModelsFlags) => {
      const status = await runningModels(flags.url).unload({ name, version });
      print(flags, status, () => `${name}/${version} is ${status.state}\n`);
    });
  const label = new Command("label")
    .description("Put a label onto a loaded version.")
    .argument("<MODEL>", "the model's name")
    .argument("<LABEL>", "the label, such as stable or candidate")
    .argument("<VERSION>", "the version's number")
    .action(async (name: string, label: string, version: string, flags: ModelsFlags) => {
      const moved = await runningModels(flags.url).moveLabel({ name, label, version }, whoRuns());
      const from = moved.previous === undefined ? "" : `, before on ${moved.previous}`;
      print(flags, moved, () => `${label} of ${name} stands on version ${version}${from}\n`);
    });
  for (const command of [list, load, unload, label]) {
    group.addCommand(
      command
        .option("--url <URL>", "a running server", httpAddress, "http://127.0.0.1:8080")
        .option("--json", "print the answer as JSON, as the API gives it"),
    );
  }
  return group;
}

function print(flags: ModelsFlags, json: unknown, text: () => string): void {
  process.stdout.write(flags.json ? `${JSON.stringify(json, null, 2)}\n` : text());
}

function renderList(versions: readonly ModelVersionStatus[]): string {
  const table = new Table({
    head: ["model", "version", "state", "labels", "reason"],
    style: { head: [], border: [] },
  });
  for (const { name, version, state, labels, reason } of versions) {
    table.push([name, version, state, labels.join(", "), reason ?? ""]);
  }
  return `${table.toString()}\n`;
}
