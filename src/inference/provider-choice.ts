import { invalidArgument } from "../domain/error.ts";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import { nearest } from "../schema/schema.ts";
import { type TryProvider, tryProvider } from "./provider-trial.ts";

/** What the configuration says, under `inference`. */
export interface ProviderSettings {
  /** Of every model, most wanted first. */
  readonly executionProviders: readonly ExecutionProvider[];
  /** What differs for one model, by its name. */
  readonly perModel: ReadonlyMap<
    string,
    { readonly executionProviders?: readonly ExecutionProvider[] | undefined }
  >;
}

export const cpuAlone: ProviderSettings = { executionProviders: ["cpu"], perModel: new Map() };

/** One model's providers: those that were asked for, and those of them that this machine can run, in the same order. */
export interface ChosenProviders {
  readonly configured: readonly ExecutionProvider[];
  readonly usable: readonly ExecutionProvider[];
}

/** Finds out, once each, which of the configured providers this machine can run. */
export class ProviderChoice {
  readonly #settings: ProviderSettings;
  readonly #onWarning: (warning: string) => void;
  readonly #try: TryProvider;
  readonly #trials = new Map<ExecutionProvider, Promise<string | undefined>>();
  readonly #chosen = new Map<string, Promise<ChosenProviders>>();

  constructor(
    settings: ProviderSettings,
    onWarning: (warning: string) => void,
    trial: TryProvider = tryProvider,
  ) {
    this.#settings = settings;
    this.#onWarning = onWarning;
    this.#try = trial;
  }

  /** @throws {SetlistError} INVALID_ARGUMENT where a model has settings that is not among `names`. */
  checkNames(names: readonly string[]): void {
    const unknown = [...this.#settings.perModel.keys()].find((name) => !names.includes(name));
    if (unknown === undefined) return;
    throw invalidArgument(
      `inference.perModel.${unknown}: expected the name of a loaded model, found none of that name${nearest(unknown, [...new Set(names)])}`,
    );
  }

  /**
   * A provider that cannot run here is passed over, with a warning, for those behind it in the list.
   * @throws {SetlistError} INVALID_ARGUMENT where none of the list can: the field, and for each what it lacks.
   */
  of(model: string): Promise<ChosenProviders> {
    const own = this.#settings.perModel.get(model)?.executionProviders;
    const field =
      own === undefined ? "inference.executionProviders" : `inference.perModel.${model}.executionProviders`;
    let chosen = this.#chosen.get(field);
    if (chosen === undefined) {
      chosen = this.#choose(field, own ?? this.#settings.executionProviders);
      this.#chosen.set(field, chosen);
    }
    return chosen;
  }

  async #choose(field: string, configured: readonly ExecutionProvider[]): Promise<ChosenProviders> {
    const failures = await Promise.all(configured.map((provider) => this.#failureOf(provider)));
    const usable = configured.filter((_, place) => failures[place] === undefined);
    const lacks = configured.flatMap((provider, place) => {
      const failure = failures[place];
      return failure === undefined ? [] : [`${provider} cannot run here: ${failure}`];
    });
    if (usable.length === 0) {
      throw invalidArgument(`${field}: ${lacks.join("; ")}; or list cpu behind it to go on without`);
    }
    if (lacks.length > 0)
      this.#onWarning(`${field}: ${lacks.join("; ")}; going on with ${usable.join(", ")}`);
    return { configured, usable };
  }

  #failureOf(provider: ExecutionProvider): Promise<string | undefined> {
    let trial = this.#trials.get(provider);
    if (trial === undefined) {
      trial = this.#try(provider);
      this.#trials.set(provider, trial);
    }
    return trial;
  }
}
