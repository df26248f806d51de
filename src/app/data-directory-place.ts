import { loadExperimentDocuments, type SetlistConfig } from "../config.ts";
import { invalidArgument, SetlistError, UsageError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { ModelLabel } from "../domain/model-life.ts";
import type { KillSwitch, StoreChange } from "../domain/store-state.ts";
import { type Known, seeded } from "../experiments/experiments.ts";
import { repositoryStudents } from "../inference/repository-students.ts";
import { openRegistry, type Registry } from "../registry/registry.ts";
import { nearest } from "../schema/schema.ts";
import { readableRevision } from "../serving/experiment-view.ts";
import { ExperimentWrites } from "../serving/experiment-writes.ts";
import { knownSurface, surfaceViews } from "../serving/surface-view.ts";
import { existingDataDirectory } from "./data-directory.ts";
import type { ExperimentPlace } from "./experiment-place.ts";
import { configurationWriter } from "./experiment-source.ts";
import { currentState } from "./experiments-data.ts";
import { valueModelsOf } from "./known-value-models.ts";
import { systemClock } from "./system-clock.ts";

/**
 * The experiments of a data directory, which a server may be using: it notices what is written here. Documents are held
 * against the manifests of the model repository, since nothing is loaded; whether a model can really be served is for
 * the server to find, which until then goes on as before and says so.
 */
export class DataDirectoryPlace implements ExperimentPlace {
  readonly #config: SetlistConfig;
  #opened: Promise<{ readonly registry: Registry; readonly writes: ExperimentWrites }> | undefined;

  constructor(config: SetlistConfig) {
    this.#config = config;
  }

  async list(): Promise<readonly Experiment[]> {
    return (await currentState(this.#config)).experiments;
  }

  async get(id: string): Promise<Experiment> {
    const experiments = await this.list();
    const found = experiments.find((one) => one.id === id);
    if (found !== undefined) return found;
    throw unknownExperiment(id, experiments);
  }

  async history(id: string): ReturnType<ExperimentPlace["history"]> {
    const { dataDir } = this.#config;
    const registry = openRegistry({ dataDir, readOnly: true, clock: systemClock });
    try {
      const revisions = await registry.history(id);
      if (revisions.length > 0) return revisions.map(readableRevision);
      throw unknownExperiment(id, registry.list());
    } finally {
      await registry.close();
    }
  }

  async health(): ReturnType<ExperimentPlace["health"]> {
    throw new UsageError("health: expected --url: only a running server looks after its experiments");
  }

  async surfaces(): ReturnType<ExperimentPlace["surfaces"]> {
    return surfaceViews(this.#config.surfaces, await currentState(this.#config));
  }

  async readSwitch(): Promise<KillSwitch> {
    return (await currentState(this.#config)).killSwitch;
  }

  create: ExperimentPlace["create"] = async (...asked) => (await this.#writes()).create(...asked);
  replace: ExperimentPlace["replace"] = async (...asked) => (await this.#writes()).replace(...asked);
  move: ExperimentPlace["move"] = async (...asked) => (await this.#writes()).move(...asked);
  ship: ExperimentPlace["ship"] = async (...asked) => (await this.#writes()).ship(...asked);
  kill: ExperimentPlace["kill"] = async (...asked) => (await this.#writes()).kill(...asked);
  revive: ExperimentPlace["revive"] = async (...asked) => (await this.#writes()).revive(...asked);
  import: ExperimentPlace["import"] = async (...asked) => (await this.#writes()).import(...asked);
  killSwitch: ExperimentPlace["killSwitch"] = async (...asked) => (await this.#writes()).killSwitch(...asked);
  restore: ExperimentPlace["restore"] = async (surface, revision, by) => {
    const name = knownSurface(this.#config.surfaces, surface);
    return (await this.#writes()).restore(name, revision, by);
  };

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened)?.registry.close();
  }

  async #writes(): Promise<ExperimentWrites> {
    this.#opened ??= this.#open();
    return (await this.#opened).writes;
  }

  /** An empty store is filled first, as a server would when it starts. */
  async #open(): Promise<{ readonly registry: Registry; readonly writes: ExperimentWrites }> {
    const { dataDir, surfaces, models, experiments } = this.#config;
    const students = await repositoryStudents(models);
    const known: Known = {
      surfaces: [...surfaces.keys()],
      models: students,
      valueModels: valueModelsOf(surfaces),
    };
    const registry = openRegistry({ dataDir: existingDataDirectory(dataDir), clock: systemClock });
    try {
      if (registry.list().length === 0) {
        const documents = loadExperimentDocuments(experiments, known);
        await registry.write(configurationWriter, (state) => seeded(state, documents));
      }
      const prepare = async (change: StoreChange): Promise<() => void> => {
        checkLabels(change, registry.labels.list());
        return () => undefined;
      };
      return { registry, writes: new ExperimentWrites({ store: registry, known: () => known, prepare }) };
    } catch (error) {
      await registry.close();
      throw error;
    }
  }
}

function checkLabels({ experiments = [] }: StoreChange, labels: readonly ModelLabel[]): void {
  for (const { document } of experiments) {
    for (const [index, { model }] of document.arms.entries()) {
      if (model.label === undefined || document.status === "stopped") continue;
      const known = labels.filter(({ name }) => name === model.name).map(({ label }) => label);
      if (known.includes(model.label)) continue;
      throw invalidArgument(
        `arms[${index}].model.label: no label ${model.label} of ${model.name} stands on a version${nearest(model.label, known)}`,
      );
    }
  }
}

function unknownExperiment(id: string, known: readonly Experiment[]): SetlistError {
  const ids = known.map((one) => one.id);
  return new SetlistError("NOT_FOUND", `no experiment ${JSON.stringify(id)}${nearest(id, ids)}`);
}
