import type { Model, ModelRef, ModelVersion } from "../domain/model.ts";
import { compareVersions } from "./version-policy.ts";

/** A version that every worker holds. */
export interface LoadedModel {
  readonly model: Model;
  /** Its number in every worker, never given again. */
  readonly place: number;
  /** Runs as an item graph and a request graph. */
  readonly split: boolean;
  /** Requests that are being scored. */
  inFlight: number;
}

/**
 * What can be scored, and what a reference means. A version is shown at once and withdrawn at once; one that was
 * withdrawn still answers the requests that had found it, until it is forgotten.
 */
export class LoadedModels {
  readonly #byKey = new Map<string, LoadedModel>();
  readonly #byPlace = new Map<number, LoadedModel>();
  /** Shown versions by name, in rising order. */
  readonly #shown = new Map<string, readonly Model[]>();
  readonly #labels = new Map<string, string>();
  #all: readonly Model[] = [];

  /** From here on references find it. */
  show(loaded: LoadedModel): void {
    this.#byKey.set(keyOf(loaded.model), loaded);
    this.#byPlace.set(loaded.place, loaded);
    const { name } = loaded.model;
    const versions = [...(this.#shown.get(name) ?? []), loaded.model];
    this.#setShown(
      name,
      versions.sort((one, other) => compareVersions(one.version, other.version)),
    );
  }

  /** From here on no reference finds it. */
  withdraw(version: ModelVersion): void {
    const versions = this.#shown.get(version.name) ?? [];
    this.#setShown(
      version.name,
      versions.filter((one) => one.version !== version.version),
    );
  }

  /** Nothing scores it any more. */
  forget({ model, place }: LoadedModel): void {
    this.#byPlace.delete(place);
    if (this.#byKey.get(keyOf(model))?.place === place) this.#byKey.delete(keyOf(model));
  }

  setLabel(name: string, label: string, version: string): void {
    this.#labels.set(`${name} ${label}`, version);
  }

  resolve(ref: ModelRef): Model | undefined {
    const versions = this.#shown.get(ref.name);
    if (versions === undefined) return undefined;
    const version = ref.label === undefined ? ref.version : this.#labels.get(`${ref.name} ${ref.label}`);
    if (version !== undefined) return versions.find((one) => one.version === version);
    return ref.label === undefined ? versions.at(-1) : undefined;
  }

  /** Every shown version: names in their order, versions of a name in rising order. */
  all(): readonly Model[] {
    return this.#all;
  }

  /** Withdrawn ones too. */
  of(version: ModelVersion): LoadedModel | undefined {
    return this.#byKey.get(keyOf(version));
  }

  at(place: number): LoadedModel | undefined {
    return this.#byPlace.get(place);
  }

  #setShown(name: string, versions: readonly Model[]): void {
    if (versions.length === 0) this.#shown.delete(name);
    else this.#shown.set(name, versions);
    const names = [...this.#shown.keys()].sort();
    this.#all = names.flatMap((one) => this.#shown.get(one) ?? []);
  }
}

export function keyOf({ name, version }: ModelVersion): string {
  return `${name}/${version}`;
}
