import type { Model, ModelRef, ValueModelOverride } from "../domain/model.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { Surfaces } from "../domain/surface.ts";
import { checkDiversity, checkWeighedTasks } from "../schema/value-model.ts";

/** What value models may speak of, and what the surfaces say; experiments are held against both. */
export interface KnownValueModels {
  readonly valueModels: ReadonlyMap<string, ValueModelOverride>;
  /** What a diversity step may go by: columns of the store, and features that requests may bring. */
  readonly itemFeatures: readonly string[];
}

/**
 * Holds the surfaces' and the models' value models against the models and features that there are.
 * @param stored the store's columns of items.
 * @throws {SetlistError} INVALID_ARGUMENT naming the field, and the nearest name.
 */
export function knownValueModels(
  surfaces: Surfaces,
  scorer: Pick<Scorer, "models" | "resolve">,
  stored: readonly string[],
): KnownValueModels {
  const models = scorer.models();
  const itemFeatures = [...new Set([...stored, ...models.flatMap(itemFeaturesOf)])];
  for (const { name, version, valueModel } of models) {
    checkDiversity(valueModel, `model ${name}/${version}: valueModel`, itemFeatures);
  }
  const valueModels = new Map<string, ValueModelOverride>();
  for (const [surface, { defaultModel, shadow, valueModel }] of surfaces) {
    const model = scorer.resolve(defaultModel);
    if (valueModel === undefined || model === undefined) continue;
    const field = `surfaces.${surface}.valueModel`;
    for (const one of [model, shadow && scorer.resolve(shadow.model)]) {
      if (one !== undefined) checkWeighedTasks(valueModel, field, one.tasks, `${one.name}/${one.version}`);
    }
    checkDiversity(valueModel, field, itemFeatures);
    valueModels.set(surface, valueModel);
  }
  return { valueModels, itemFeatures };
}

/** By surface, the model that serves who is in no experiment. */
export function defaultModelsOf(surfaces: Surfaces): ReadonlyMap<string, ModelRef> {
  return new Map([...surfaces].map(([surface, { defaultModel }]) => [surface, defaultModel]));
}

/** By surface, those that say something over their models' value models. */
export function valueModelsOf(surfaces: Surfaces): ReadonlyMap<string, ValueModelOverride> {
  return new Map(
    [...surfaces].flatMap(([surface, { valueModel }]) =>
      valueModel === undefined ? [] : [[surface, valueModel] as const],
    ),
  );
}

function itemFeaturesOf({ features }: Model): readonly string[] {
  return features.filter(({ entity, name }) => entity === "item" && name !== "id").map(({ name }) => name);
}
