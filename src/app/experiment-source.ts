import { loadExperimentDocuments } from "../config.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { Registry } from "../registry/registry.ts";
import { configurationWriter } from "./experiments-data.ts";

type Known = Parameters<typeof loadExperimentDocuments>[1];

/** How the store comes to hold the experiments that a process serves. */
export interface ExperimentSource {
  /** What the experiments will be once the models are there to hold them against: it says which are needed. */
  expected(registry: Registry): readonly Experiment[];
  /** @throws {SetlistError} where a document cannot stand. */
  settle(registry: Registry, known: Known): void;
}

/** The configuration's documents, written to the store where they changed. */
export function configuredExperiments(folder: string): ExperimentSource {
  return {
    expected: (registry) => registry.preview(loadExperimentDocuments(folder), configurationWriter),
    settle: (registry, known) =>
      void registry.sync(loadExperimentDocuments(folder, known), configurationWriter),
  };
}

/** What the store holds already: a process that replaces another must not read what was changed since the start. */
export const storedExperiments: ExperimentSource = {
  expected: (registry) => registry.list(),
  settle: () => undefined,
};
