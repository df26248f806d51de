import { loadExperimentDocuments } from "../config.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment, ExperimentDocument } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import { changedFields, type Known, reviseAll, seeded } from "../experiments/experiments.ts";

/** Who writes what the configuration's folder says, in the history. */
export const configurationWriter = "configuration";

/** How an empty store comes to hold experiments. */
export interface ExperimentSource {
  /** What the experiments will be once the models are there to hold them against: it says which are needed. */
  expected(store: ExperimentStore): readonly Experiment[];
  /** @throws {SetlistError} where a document cannot stand. */
  settle(store: ExperimentStore, known: Known): Promise<void>;
}

/**
 * The configuration's folder: it fills an empty store, and nothing else. From then on the store is what counts; where
 * the folder says something new since, `onWarning` hears how to import it.
 */
export function configuredExperiments(
  folder: string,
  onWarning: (message: string) => void,
): ExperimentSource {
  let seeds = false;
  return {
    expected(store) {
      seeds = store.list().length === 0;
      return seeds ? reviseAll([], loadExperimentDocuments(folder)).experiments : store.list();
    },
    async settle(store, known) {
      if (!seeds) return tellNews(store, folder, onWarning);
      const documents = loadExperimentDocuments(folder, known);
      // A fleet's store may be gone, and nothing is to be written.
      if (documents.length === 0) return;
      await store.write(configurationWriter, (state) => seeded(state, documents));
    },
  };
}

/** What the store holds already: a process that replaces another must not read what was changed since the start. */
export const storedExperiments: ExperimentSource = {
  expected: (store) => store.list(),
  settle: async () => undefined,
};

async function tellNews(
  store: ExperimentStore,
  folder: string,
  onWarning: (message: string) => void,
): Promise<void> {
  const documents = documentsOf(folder, onWarning);
  const news: string[] = [];
  for (const document of documents) {
    if (await isNews(store, document)) news.push(document.id);
  }
  if (news.length === 0) return;
  onWarning(
    `${folder} says something new of ${news.join(", ")}, and only fills an empty store: \`setlist experiments import ${folder}\` shows the difference and writes it`,
  );
}

/** What somebody changed in the store since is no news of the folder's, nor is what was imported. */
async function isNews(store: ExperimentStore, document: ExperimentDocument): Promise<boolean> {
  const standing = store.get(document.id);
  if (standing === undefined) return true;
  if (changedFields(standing, document).length === 0) return false;
  const history = await store.history(document.id);
  return !history.some(({ document: kept }) => changedFields(kept, document).length === 0);
}

function documentsOf(folder: string, onWarning: (message: string) => void): readonly ExperimentDocument[] {
  try {
    return loadExperimentDocuments(folder);
  } catch (error) {
    if (!(error instanceof SetlistError)) throw error;
    onWarning(`not read, since the store has experiments already: ${error.message}`);
    return [];
  }
}
