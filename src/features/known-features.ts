import { invalidArgument } from "../domain/error.ts";
import type { FeatureEntity, Features } from "../domain/feature.ts";
import type { Model } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";

/**
 * The feature names that requests of a surface may bring: those of any of its models. A caller cannot know which arm
 * answers, so a name that only another arm's model reads is no mistake; a name that none reads is one.
 */
export class KnownFeatures {
  readonly #names = new Map<string, Set<string>>();

  add(model: Model): void {
    for (const { entity, name } of model.features) {
      const key = keyOf(model.surface, entity);
      const names = this.#names.get(key) ?? new Set();
      this.#names.set(key, names.add(name));
    }
  }

  /** @throws {SetlistError} INVALID_ARGUMENT naming the first field that no model of the surface reads. */
  check(surface: string, entity: FeatureEntity, features: Features, field: () => string): void {
    const known = this.#names.get(keyOf(surface, entity));
    for (const name of Object.keys(features)) {
      if (name === "id" && entity !== "context") {
        throw invalidArgument(`${field()}.id: an id stands beside the features, not among them`);
      }
      if (known?.has(name)) continue;
      const names = [...(known ?? [])].filter((one) => one !== "id" || entity === "context");
      const which = names.length === 0 ? `; no model of ${surface} reads any` : nearest(name, names);
      throw invalidArgument(`${field()}.${name}: unknown ${entity} feature${which}`);
    }
  }
}

function keyOf(surface: string, entity: FeatureEntity): string {
  return `${entity} ${surface}`;
}
