/** The experiment store of one data directory: every revision of every experiment, in SQLite, never overwritten. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument, ExperimentRevision } from "../domain/experiment.ts";
import type { ModelLabelStore } from "../domain/model-life.ts";
import type { Clock, ExperimentStore } from "../domain/ports.ts";
import { describeChange } from "../experiments/experiments.ts";
import { openDatabase } from "./database.ts";
import { LabelTable } from "./label-table.ts";
import { RevisionTable } from "./revision-table.ts";
import { synchronised } from "./synchronised.ts";

const fileName = "experiments.sqlite";

export type RegistryOptions =
  | { readonly dataDir: string; readonly readOnly?: false; readonly clock: Clock }
  /** Never writes, so it needs no time; works beside a server that has the store open. */
  | { readonly dataDir: string; readonly readOnly: true };

/** The store, with the one way in which documents come into it so far: from the configuration. */
export interface Registry extends ExperimentStore {
  /**
   * Makes a new revision of every experiment whose document changed since `who` last wrote it, all or none. An
   * experiment that `who` wrote last and has no document for any more is stopped, and stays in the history.
   * @returns the ids of those that changed.
   * @throws {SetlistError} INVALID_ARGUMENT with experiment and field where a document cannot stand (its traffic is not
   *   free, …), UNAVAILABLE where the store is read-only.
   */
  sync(documents: readonly ExperimentDocument[], who: string): { readonly changed: readonly string[] };
  /** What `list` would answer after `sync`, without writing. */
  preview(documents: readonly ExperimentDocument[], who: string): readonly Experiment[];
  /** Where the models' labels are kept; none can be read or moved where the store is read-only. */
  readonly labels: ModelLabelStore;
}

/** True where the data directory has a store to open read-only. */
export function hasRegistry(dataDir: string): boolean {
  return existsSync(join(dataDir, fileName));
}

/**
 * Opens the store of a data directory; makes both where they do not exist, unless `readOnly`.
 * @throws {SetlistError} NOT_FOUND where `readOnly` and there is no store yet; UNAVAILABLE where the file cannot be
 *   opened, is no store, or was written by a newer Setlist.
 */
export function openRegistry(options: RegistryOptions): Registry {
  const { dataDir } = options;
  const readOnly = options.readOnly === true;
  if (readOnly && !hasRegistry(dataDir)) {
    throw new SetlistError(
      "NOT_FOUND",
      `no experiments in ${dataDir} yet: \`setlist serve --data-dir ${dataDir}\` makes its store when it starts`,
    );
  }
  const database = openDatabase(join(dataDir, fileName), readOnly);
  const table = new RevisionTable(database);
  return {
    labels: options.readOnly === true ? noLabels : new LabelTable(database, options.clock),
    list: () => table.latest().map(({ experiment }) => experiment),
    get: (id) => table.of(id).at(-1)?.experiment,
    history: (id) => table.of(id),
    preview: (documents, who) => synchronised(table.all(), documents, who).experiments,
    sync(documents, who) {
      if (readOnly)
        throw new SetlistError("UNAVAILABLE", `the experiments of ${dataDir} were opened to be read`);
      return table.transaction(() => {
        const before = new Map(table.latest().map(({ experiment }) => [experiment.id, experiment]));
        const { changed } = synchronised(table.all(), documents, who);
        const at = options.clock.now();
        for (const experiment of changed) {
          const what = describeChange(before.get(experiment.id), experiment);
          table.insert({ experiment, who, at, what } satisfies ExperimentRevision);
        }
        return { changed: changed.map(({ id }) => id) };
      });
    },
    close: () => database.close(),
  };
}

const noLabels: ModelLabelStore = {
  list: () => [],
  history: () => [],
  move() {
    throw new SetlistError("UNAVAILABLE", "labels: the store was opened to be read");
  },
};
