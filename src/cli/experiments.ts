import Table from "cli-table3";
import { Command } from "commander";
import { currentExperiment, currentExperiments, experimentHistory } from "../app/experiments-data.ts";
import { loadConfig, type SetlistConfig, yamlText } from "../config.ts";
import type { Experiment, ExperimentRevision } from "../domain/experiment.ts";
import { readableRevision } from "../serving/experiment-view.ts";

interface ExperimentsFlags {
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** `setlist experiments`: what runs, and what was ever changed. */
export function experimentsCommand(): Command {
  const group = new Command("experiments")
    .description("List and show experiments as a server started now would have them, and their history.")
    .helpCommand(false);
  const list = new Command("list").description("every experiment").action((flags: ExperimentsFlags) => {
    const experiments = currentExperiments(configOf(flags));
    print(flags, { experiments }, () => renderList(experiments));
  });
  const show = new Command("show")
    .description("one experiment, whole, as YAML")
    .argument("<id>", "the experiment")
    .action((id: string, flags: ExperimentsFlags) => {
      const experiment = currentExperiment(configOf(flags), id);
      print(flags, experiment, () => yamlText(experiment));
    });
  const history = new Command("history")
    .description("every revision in the data directory: who wrote it, when and what")
    .argument("<id>", "the experiment")
    .action((id: string, flags: ExperimentsFlags) => {
      const revisions = experimentHistory(configOf(flags).dataDir, id);
      print(flags, { revisions: revisions.map(readableRevision) }, () => renderHistory(revisions));
    });
  for (const command of [list, show, history]) {
    group.addCommand(
      command
        .option("--data-dir <folder>", "the server's data directory (default: ./data)")
        .option("--config <file>", "configuration (default: config/setlist.yaml)")
        .option("--json", "print JSON, as the API answers"),
    );
  }
  return group;
}

function configOf({ dataDir, config }: ExperimentsFlags): SetlistConfig {
  return loadConfig({ flags: { dataDir, config }, env: process.env, cwd: process.cwd() });
}

function print(flags: ExperimentsFlags, json: unknown, text: () => string): void {
  process.stdout.write(flags.json ? `${JSON.stringify(json, null, 2)}\n` : text());
}

function renderList(experiments: readonly Experiment[]): string {
  if (experiments.length === 0) return "There are no experiments: each surface serves its default model.\n";
  const table = tableOf(["experiment", "status", "surface", "layer", "traffic", "arms (weight)", "revision"]);
  for (const { id, status, surface, layer, traffic, arms, revision } of experiments) {
    const split = arms.map((arm) => `${arm.id} (${arm.weight})`).join(", ");
    table.push([id, status, surface, layer, `${Number((traffic * 100).toFixed(4))} %`, split, revision]);
  }
  return `${table.toString()}\n`;
}

function renderHistory(revisions: readonly ExperimentRevision[]): string {
  const table = tableOf(["revision", "phase", "when", "who", "what"]);
  for (const revision of revisions) {
    const { experiment, at, who, what } = readableRevision(revision);
    table.push([experiment.revision, experiment.phase, at, who, what]);
  }
  return `${table.toString()}\n`;
}

function tableOf(head: string[]): Table.Table {
  return new Table({ head, style: { head: [], border: [] } });
}
