import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { readWrittenExperiments, yamlText } from "../config.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import { confirmations, documentOf } from "../experiments/experiments.ts";
import type { ExperimentPlace, WrittenExperiment } from "../rollout/rollout.ts";
import { renderWrite } from "./experiment-diff.ts";
import { at, type PlaceFlags, print } from "./experiment-place-flags.ts";
import { shownFirst, type WriteFlags, withWriteFlags } from "./experiment-writes.ts";

/** The subcommands by which experiments go into files, for git, and come back. */
export function exchangeCommands(): Command[] {
  const exporting = new Command("export")
    .description("Write every experiment to FOLDER/ID.yaml, as a person writes it.")
    .argument("<FOLDER>", "made where it is missing and its parent is there; other files in it stay")
    .action((folder: string, flags: PlaceFlags) =>
      at(flags, async (place) => {
        const files = await writeTo(folder, await place.list());
        print(flags, { files }, () => files.map((file) => `${file}\n`).join(""));
      }),
    );
  const importing = withWriteFlags(
    new Command("import")
      .description("Write the experiments of a folder, all or none. Others stay as they are.")
      .argument("<FOLDER>", "the folder, with one YAML file an experiment")
      .option("--confirm-new-phase", "agree that some that have begun start a new phase")
      .option("--confirm-less-traffic", "agree that traffic goes down"),
  ).action((folder: string, flags: WriteFlags) =>
    at(flags, async (place) => {
      const { before, documents } = await documentsOf(folder, place);
      const written = await shownFirst(
        flags,
        (by) => place.import(documents, by),
        (would, stream) => renderAll(before, would, stream),
      );
      const changed = written.filter(({ change }) => change.what !== "");
      print(
        flags,
        { experiments: written.map(({ experiment, change }) => ({ ...experiment, change })) },
        () =>
          flags.dryRun === true
            ? "nothing written (--dry-run)\n"
            : `${changed.length} of ${written.length} experiments written\n`,
      );
    }),
  );
  const difference = new Command("diff")
    .description("Show what importing a folder would change.")
    .argument("<FOLDER>", "the folder, with one YAML file an experiment")
    .action((folder: string, flags: PlaceFlags) =>
      at(flags, async (place) => {
        const { before, documents } = await documentsOf(folder, place);
        const would = await place.import(documents, { who: "", dryRun: true, confirmed: confirmations });
        print(
          flags,
          { experiments: would.map(({ experiment, change }) => ({ ...experiment, change })) },
          () => renderAll(before, would, process.stdout),
        );
      }),
    );
  return [exporting, importing, difference];
}

/** @throws {SetlistError} UNAVAILABLE where the system refuses to write there. */
async function writeTo(folder: string, experiments: readonly Experiment[]): Promise<readonly string[]> {
  const files = experiments.map(({ id }) => join(folder, `${id}.yaml`));
  try {
    // Not `recursive`, which tries for ever where no folder can be made, as in /proc.
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    for (const [index, experiment] of experiments.entries()) {
      await writeFile(files[index] as string, yamlText(documentOf(experiment)));
    }
  } catch (error) {
    const reason = `${(error as Error).message}; name a folder whose parent is there and that may be written`;
    throw new SetlistError("UNAVAILABLE", `cannot write to ${folder}: ${reason}`, { cause: error });
  }
  return files;
}

/** The folder's documents, each with the revision that it is compared with: its own, where it says one. */
async function documentsOf(
  folder: string,
  place: ExperimentPlace,
): Promise<{ before: ReadonlyMap<string, Experiment>; documents: readonly object[] }> {
  const before = new Map((await place.list()).map((one) => [one.id, one]));
  const files = readWrittenExperiments(folder);
  if (files.length === 0) {
    throw new SetlistError("NOT_FOUND", `no experiment in ${folder}: expected one YAML file an experiment`);
  }
  const documents = files.map(({ written, document, revision }) => ({
    ...written,
    revision: revision ?? before.get(document.id)?.revision ?? 0,
  }));
  return { before, documents };
}

function renderAll(
  before: ReadonlyMap<string, Experiment>,
  written: readonly WrittenExperiment[],
  stream: NodeJS.WriteStream,
): string {
  return written.map((one) => renderWrite(before.get(one.experiment.id), one, stream)).join("");
}
