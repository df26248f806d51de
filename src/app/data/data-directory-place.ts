import { loadExperimentDocuments, type SetlistConfig } from "../../config.ts";
import { invalidArgument, SetlistError } from "../../domain/error.ts";
import type { Experiment, ExperimentDocument } from "../../domain/experiment.ts";
import type { ExperimentStore } from "../../domain/experiment-store.ts";
import type { ModelLabel } from "../../domain/model-life.ts";
import type { KillSwitch, StoreChange, StoreState } from "../../domain/store-state.ts";
import { type Known, seeded } from "../../experiments/experiments.ts";
import { repositoryStudents } from "../../inference/repository-students.ts";
import { applied } from "../../registry/applied.ts";
import {
  type ExperimentPlace,
  ExperimentWrites,
  knownSurface,
  readableRevision,
  surfaceViews,
  valueModelsOf,
} from "../../rollout/rollout.ts";
import { nearest } from "../../schema/schema.ts";
import { configurationWriter } from "../experiment-source.ts";
import { existingDataDirectory } from "./data-directory.ts";
import { openExperiments, openExperimentsToRead } from "./experiment-store.ts";
import { currentState, doubtOf } from "./experiments-data.ts";

interface Opened {
  readonly writes: ExperimentWrites;
  close(): Promise<void>;
}

/**
 * The experiments of a data directory, or of the fleet that the configuration says it belongs to, which servers may be
 * using: they notice what is written here. Documents are held against the manifests of the model repository, since
 * nothing is loaded; whether a model can really be served is for the servers to find, which until then go on as before
 * and say so.
 */
export class DataDirectoryPlace implements ExperimentPlace {
  readonly #config: SetlistConfig;
  #opened: Promise<Opened> | undefined;

  constructor(config: SetlistConfig) {
    this.#config = config;
  }

  async list(): Promise<readonly Experiment[]> {
    return (await currentState(this.#config)).experiments;
  }

  async doubt(): Promise<string | undefined> {
    return doubtOf(this.#config);
  }

  async get(id: string): Promise<Experiment> {
    const experiments = await this.list();
    const found = experiments.find((one) => one.id === id);
    if (found !== undefined) return found;
    throw unknownExperiment(id, experiments);
  }

  async history(id: string): ReturnType<ExperimentPlace["history"]> {
    const store = await openExperimentsToRead(this.#config);
    try {
      const revisions = await store.history(id);
      if (revisions.length > 0) return revisions.map(readableRevision);
      throw unknownExperiment(id, store.list());
    } finally {
      await store.close();
    }
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
    await (await opened)?.close();
  }

  async #writes(): Promise<ExperimentWrites> {
    this.#opened ??= this.#open();
    return (await this.#opened).writes;
  }

  async #open(): Promise<Opened> {
    const { surfaces, models, experiments, attributes } = this.#config;
    const students = await repositoryStudents(models);
    const known: Known = {
      surfaces: [...surfaces.keys()],
      models: students,
      attributes,
      valueModels: valueModelsOf(surfaces),
    };
    const opened = new AsyncDisposableStack();
    try {
      existingDataDirectory(this.#config.dataDir);
      const { store, labels } = await openExperiments(this.#config, opened, () => undefined);
      const prepare = async (change: StoreChange): Promise<() => void> => {
        checkLabels(change, labels.list());
        return () => undefined;
      };
      const seeds = (): readonly ExperimentDocument[] => loadExperimentDocuments(experiments, known);
      const writes = new ExperimentWrites({ store: seededFirst(store, seeds), known: () => known, prepare });
      return { writes, close: () => opened.disposeAsync() };
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }
}

/** An empty store is filled before anything is written to it, as by a server that starts, and looked at as if it were. */
function seededFirst(
  store: ExperimentStore,
  seeds: () => readonly ExperimentDocument[],
): Pick<ExperimentStore, "refresh" | "stale" | "write"> {
  const seeding = (state: StoreState): StoreChange =>
    state.experiments.length > 0 ? {} : seeded(state, seeds());
  return {
    stale: () => store.stale(),
    async refresh() {
      const state = await store.refresh();
      return applied(state, seeding(state));
    },
    async write(who, change) {
      await store.write(configurationWriter, seeding);
      return store.write(who, change);
    },
  };
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
