import { canonicalJson } from "../domain/canonical-json.ts";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import type { ModelRef } from "../domain/model.ts";
import type { ModelLibrary, ModelNeed } from "../domain/model-life.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { StoreChange, StoreState } from "../domain/store-state.ts";
import type { Surface, Surfaces } from "../domain/surface.ts";
import {
  type Assigner,
  type AssignerOptions,
  assigns,
  compileAssigner,
  underKillSwitch,
} from "../experiments/experiments.ts";
import { modelNeeds } from "./model-needs.ts";
import { withShipped } from "./surface-view.ts";

/** What says whether models are there, and fetches them. */
interface LoadedModels {
  readonly scorer: Pick<Scorer, "resolve">;
  readonly library: Pick<ModelLibrary, "versions">;
  /** Loads what is needed; resolves once that was tried. */
  meetNeeds(): Promise<void>;
}

interface LiveOptions extends AssignerOptions {
  readonly store: ExperimentStore;
  readonly configured: Surfaces;
  /** What the experiments will be once there are models to hold them against. */
  readonly expected: readonly Experiment[];
  readonly onWarning: (message: string, fields?: Record<string, unknown>) => void;
  /** The store's state is in effect. */
  readonly onChange: (state: StoreState) => void;
}

/** How often to try again what could not be put in effect, ms. */
const againMs = 1_000;

/**
 * What requests are served by. It follows the store, one step behind where an experiment needs models that are not
 * loaded yet: until they are there it goes on as it was, or assigns nobody where it was not there or had another part of
 * its layer. Nothing else waits for it.
 */
export class LiveExperiments {
  readonly #options: LiveOptions;
  readonly #surfaces: Map<string, Surface>;
  /** Changes that are about to be written. */
  readonly #prepared = new Set<StoreChange>();
  readonly #closing = new AbortController();
  #target: Pick<StoreState, "experiments" | "surfaces">;
  #inEffect: StoreState;
  #assigner: Assigner = compileAssigner([]);
  #models: LoadedModels | undefined;
  #again: NodeJS.Timeout | undefined;
  #warned: StoreState | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#surfaces = new Map(options.configured);
    const { surfaces, killSwitch } = options.store.current();
    this.#target = { experiments: options.expected, surfaces };
    this.#inEffect = { experiments: [], surfaces: [], killSwitch };
  }

  /** The surfaces as they are served now, always the same map. */
  get surfaces(): Surfaces {
    return this.#surfaces;
  }

  get assigner(): Assigner {
    return this.#assigner;
  }

  /** Those that a model which comes to serve has to get along with. */
  get experiments(): readonly Experiment[] {
    return this.#target.experiments;
  }

  /**
   * The models of the configuration's defaults too: they are the way back from what was shipped. What a store says was
   * served once: a start leaves out what it no longer can serve, while documents that are to fill a store have to be right.
   */
  needs(): readonly ModelNeed[] {
    const { configured, store } = this.#options;
    const optional = store.list().length > 0;
    const states = [this.#target, this.#inEffect, ...[...this.#prepared].map(stateOf)];
    const needs = states.flatMap(({ experiments, surfaces }) => [
      ...modelNeeds(new Map(), experiments),
      ...surfaces.flatMap(({ surface, shipped }) =>
        shipped === undefined ? [] : [{ ref: shipped.model, by: `surface ${surface}` }],
      ),
    ]);
    return [...modelNeeds(configured, []), ...needs.map((need) => ({ ...need, optional }))];
  }

  /** From here on the store is followed. What has no model at the start is left out, and said. */
  begin(models: LoadedModels): void {
    this.#models = models;
    const { store, onWarning } = this.#options;
    const state = store.current();
    for (const { ref, by } of this.#missing(state)) onWarning(`${by} is not in effect: ${this.#whyNot(ref)}`);
    this.#warned = state;
    this.#take(state);
    const end = store.onChange((now) => this.#take(now));
    this.#closing.signal.addEventListener("abort", end);
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#again);
  }

  /** As `ExperimentWrites` asks for it. */
  async prepare(change: StoreChange): Promise<() => void> {
    this.#prepared.add(change);
    const release = (): void => void this.#prepared.delete(change);
    try {
      if (this.#firstMissing(change) !== undefined) await this.#models?.meetNeeds();
      const missing = this.#firstMissing(change);
      if (missing !== undefined) throw invalidArgument(`${missing.field}: ${this.#whyNot(missing.ref)}`);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  #firstMissing({
    experiments = [],
    surfaces = [],
  }: StoreChange): { field: string; ref: ModelRef } | undefined {
    for (const { document } of experiments) {
      if (document.status !== "draft" && !assigns(document)) continue;
      const index = document.arms.findIndex(({ model }) => !this.#has(model));
      const arm = document.arms[index];
      if (arm !== undefined) return { field: `arms[${index}].model`, ref: arm.model };
    }
    for (const { document } of surfaces) {
      const ref = document.shipped?.model;
      if (ref !== undefined && !this.#has(ref)) return { field: "arm", ref };
    }
    return undefined;
  }

  #take(state: StoreState): void {
    this.#target = state;
    this.#putInEffect(this.#servable(state));
    if (this.#missing(state).length > 0) void this.#load();
  }

  /** What of it can be served by the models that are loaded. */
  #servable(state: StoreState): StoreState {
    const before = this.#inEffect;
    const experiments = state.experiments.map((one): Experiment => {
      const missing = one.arms.find(({ model }) => !this.#has(model));
      if (missing === undefined || !assigns(one)) return one;
      const was = before.experiments.find(({ id }) => id === one.id);
      if (was !== undefined && assigns(was) && hasSamePlace(was, one)) return was;
      return { ...one, killed: `it waits for a model: ${this.#whyNot(missing.model)}` };
    });
    const surfaces = state.surfaces.flatMap((one) => {
      if (one.shipped === undefined || this.#has(one.shipped.model)) return [one];
      return before.surfaces.filter(({ surface }) => surface === one.surface);
    });
    return { ...state, experiments, surfaces };
  }

  async #load(): Promise<void> {
    clearTimeout(this.#again);
    await this.#models?.meetNeeds();
    if (this.#closing.signal.aborted) return;
    const state = this.#options.store.current();
    this.#putInEffect(this.#servable(state));
    const missing = this.#missing(state);
    if (missing.length === 0) return;
    if (this.#warned !== state) {
      for (const { ref, by } of missing) {
        this.#options.onWarning(`${by} is not in effect yet: ${this.#whyNot(ref)}`);
      }
    }
    this.#warned = state;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.#load(), againMs).unref();
  }

  /** Running experiments and shipped defaults that no loaded model can serve. */
  #missing({ experiments, surfaces }: StoreState): readonly ModelNeed[] {
    const needs = [
      ...modelNeeds(new Map(), experiments.filter(assigns)),
      ...surfaces.flatMap(({ surface, shipped }) =>
        shipped === undefined ? [] : [{ ref: shipped.model, by: `what was shipped to surface ${surface}` }],
      ),
    ];
    return needs.filter(({ ref }) => !this.#has(ref));
  }

  #has(ref: ModelRef): boolean {
    return this.#models?.scorer.resolve(ref) !== undefined;
  }

  #whyNot({ name, version, label }: ModelRef): string {
    if (label !== undefined)
      return `label ${label} of ${name} stands on no loaded version: put it onto one first`;
    const versions = (this.#models?.library.versions() ?? []).filter((one) => one.name === name);
    const meant = versions.find((one) => one.version === version) ?? versions.at(-1);
    if (meant?.reason !== undefined) return `${name}/${meant.version} cannot be served: ${meant.reason}`;
    return `no version ${version ?? ""} of ${name} is loaded`;
  }

  #putInEffect(state: StoreState): void {
    if (canonicalJson(state) === canonicalJson(this.#inEffect)) return;
    const { configured, onChange, onWarning } = this.#options;
    try {
      this.#assigner = compileAssigner(underKillSwitch(state), this.#options);
    } catch (error) {
      if (!(error instanceof SetlistError)) throw error;
      // Only a store that something else than Setlist writes holds what does not compile.
      onWarning(`the experiments of the store are not usable, and those in effect go on: ${error.message}`);
      return;
    }
    for (const [surface, settings] of configured) {
      const shipped = state.surfaces.find((one) => one.surface === surface)?.shipped;
      this.#surfaces.set(surface, withShipped(settings, shipped));
    }
    this.#inEffect = state;
    onChange(state);
  }
}

/** Beside the same experiments, the one then takes no more of the layer than the other. */
function hasSamePlace(one: Experiment, other: Experiment): boolean {
  return one.layer === other.layer && canonicalJson(one.ranges) === canonicalJson(other.ranges);
}

function stateOf({
  experiments = [],
  surfaces = [],
}: StoreChange): Pick<StoreState, "experiments" | "surfaces"> {
  return {
    experiments: experiments.map(({ document }) => document),
    surfaces: surfaces.map(({ document }) => document),
  };
}
