import { userInfo } from "node:os";
import Table from "cli-table3";
import { Command } from "commander";
import { runningModels } from "../client/client.ts";
import type { ModelVersionStatus } from "../domain/model-life.ts";
import { httpAddress } from "./argument.ts";

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
    .description("every version, its state and its labels")
    .action(async (flags: ModelsFlags) => {
      const versions = await runningModels(flags.url).versions();
      print(flags, { versions }, () => renderList(versions));
    });
  const load = new Command("load")
    .description("serve a version that the version policy leaves out")
    .argument("<model>", "its name")
    .argument("<version>", "its number")
    .action(async (name: string, version: string, flags: ModelsFlags) => {
      const status = await runningModels(flags.url).load({ name, version });
      print(flags, status, () => `${name}/${version} is ${status.state}\n`);
    });
  const unload = new Command("unload")
    .description("serve a version no longer; refused where something needs it")
    .argument("<model>", "its name")
    .argument("<version>", "its number")
    .action(async (name: string, version: string, flags: ModelsFlags) => {
      const status = await runningModels(flags.url).unload({ name, version });
      print(flags, status, () => `${name}/${version} is ${status.state}\n`);
    });
  const label = new Command("label")
    .description("put a label onto a loaded version")
    .argument("<model>", "its name")
    .argument("<label>", "such as stable or candidate")
    .argument("<version>", "its number")
    .action(async (name: string, label: string, version: string, flags: ModelsFlags) => {
      const moved = await runningModels(flags.url).moveLabel({ name, label, version }, userInfo().username);
      const from = moved.previous === undefined ? "" : `, before on ${moved.previous}`;
      print(flags, moved, () => `${label} of ${name} stands on version ${version}${from}\n`);
    });
  for (const command of [list, load, unload, label]) {
    group.addCommand(
      command
        .option("--url <address>", "the server", httpAddress, "http://127.0.0.1:8080")
        .option("--json", "print JSON, as the API answers"),
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
