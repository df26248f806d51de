import type { ModelVersion } from "../domain/model.ts";
import type { ModelLabelStore, ModelNeed } from "../domain/model-life.ts";
import { keyOf } from "./loaded-models.ts";
import { type VersionPolicy, wantedVersions } from "./version-policy.ts";

/** Who may want a version, besides commands. */
export interface DemandSources {
  readonly policyOf: (name: string) => VersionPolicy;
  /** What has to find a model, at any moment. */
  readonly needs: () => readonly ModelNeed[];
  readonly labels: ModelLabelStore;
}

/** What keeps a version from being unloaded, and what to do first. */
export interface VersionHolder {
  readonly by: string;
  readonly instead: string;
}

/** Which versions are wanted: by what names them, by labels, by command and by the policy. */
export class VersionDemands {
  readonly #sources: DemandSources;
  /** By key: served, or not, whatever the policy says. */
  readonly #commanded = new Map<string, { readonly version: ModelVersion; readonly served: boolean }>();

  constructor(sources: DemandSources) {
    this.#sources = sources;
  }

  /** From here on the version is served, or not; what comes back takes the command back. */
  command({ name, version }: ModelVersion, served: boolean): () => void {
    const key = keyOf({ name, version });
    const before = this.#commanded.get(key);
    this.#commanded.set(key, { version: { name, version }, served });
    return () => {
      if (before === undefined) this.#commanded.delete(key);
      else this.#commanded.set(key, before);
    };
  }

  /** Versions that an experiment or a surface names, by number or by label: without them it cannot be served. */
  named(name: string): readonly string[] {
    return this.#namedBy(this.#sources.needs(), name);
  }

  /** Those of them without which a server cannot start. */
  required(name: string): readonly string[] {
    const needs = this.#sources.needs().filter(({ optional }) => optional !== true);
    return this.#namedBy(needs, name);
  }

  #namedBy(needs: readonly ModelNeed[], name: string): readonly string[] {
    const standing = this.#labelsOf(name);
    const versions = needs
      .filter(({ ref }) => ref.name === name)
      .map(({ ref }) =>
        ref.label === undefined ? ref.version : standing.find(({ label }) => label === ref.label)?.version,
      );
    return [...new Set(versions)].filter((version) => version !== undefined);
  }

  /** Versions that a label stands on or may move back onto, and those loaded by command. */
  kept(name: string): readonly string[] {
    const standing = this.#labelsOf(name).flatMap(({ version, previous }) =>
      previous === undefined ? [version] : [version, previous],
    );
    const loaded = [...this.#commanded.values()]
      .filter(({ version, served }) => served && version.name === name)
      .map(({ version }) => version.version);
    return [...standing, ...loaded].filter((version) => !this.#isUnloaded({ name, version }));
  }

  /**
   * By the policy, without what was unloaded by command, as `wantedVersions` says.
   * @param present versions of the model that the repository has, in rising order.
   */
  byPolicy(name: string, present: readonly string[]): ReturnType<typeof wantedVersions> {
    const offered = present.filter((version) => !this.#isUnloaded({ name, version }));
    return wantedVersions(this.#sources.policyOf(name), offered);
  }

  /** Undefined where the version may go. */
  holderOf({ name, version }: ModelVersion): VersionHolder | undefined {
    const need = this.#sources.needs().find(({ ref }) => ref.name === name && ref.version === version);
    if (need !== undefined) return { by: need.by, instead: "let it name another version first" };
    const label = this.#labelsOf(name).find((one) => one.version === version);
    return label === undefined ? undefined : { by: `label ${label.label}`, instead: "move it first" };
  }

  #labelsOf(name: string) {
    return this.#sources.labels.list().filter((label) => label.name === name);
  }

  #isUnloaded(version: ModelVersion): boolean {
    return this.#commanded.get(keyOf(version))?.served === false;
  }
}
