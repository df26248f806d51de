import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { Model, ModelRef } from "../domain/model.ts";
import type { ModelNeed } from "../domain/model-life.ts";
import type { Scorer } from "../domain/scorer.ts";
import type { Surfaces } from "../domain/surface.ts";
import { documentOf, validateExperiment } from "../experiments/experiments.ts";
import { checkWeighedTasks } from "../schema/value-model.ts";
import { knownValueModels } from "./known-value-models.ts";

/** What has to find a model: every surface, its shadow, and every arm of an experiment that was not stopped. */
export function modelNeeds(surfaces: Surfaces, experiments: readonly Experiment[]): readonly ModelNeed[] {
  const ofSurfaces = [...surfaces].flatMap(([surface, { defaultModel, shadow }]) => [
    { ref: defaultModel, by: `surface ${surface}` },
    ...(shadow === undefined ? [] : [{ ref: shadow.model, by: `the shadow of surface ${surface}` }]),
  ]);
  const ofArms = experiments
    .filter(({ status }) => status !== "stopped")
    .flatMap(({ id, arms }) =>
      arms.map((arm) => ({ ref: arm.model, by: `arm ${arm.id} of experiment ${id}` })),
    );
  return [...ofSurfaces, ...ofArms];
}

/**
 * Holds a version that is about to serve against whoever may get it by a reference without a version, or by a label.
 * @throws {SetlistError} INVALID_ARGUMENT with whoever could not be served by it, and why.
 */
export function checkNeedsOf(
  model: Model,
  served: {
    /** As they are served now; what they weigh is held against this version alone. */
    readonly surfaces: Surfaces;
    /** As the configuration has them: what they weigh is held against every model of theirs. */
    readonly configured: Surfaces;
    readonly experiments: readonly Experiment[];
    readonly scorer: Pick<Scorer, "models" | "resolve">;
    readonly itemFeatures: readonly string[];
  },
): void {
  const { surfaces, configured, experiments, scorer } = served;
  const gets = (ref: ModelRef): boolean => ref.name === model.name && ref.version === undefined;
  const others = scorer.models().filter((one) => one.name !== model.name);
  const known = knownValueModels(
    configured,
    {
      models: () => [...others, model],
      resolve: (ref) => (gets(ref) ? model : scorer.resolve(ref)),
    },
    served.itemFeatures,
  );
  for (const [surface, { defaultModel, valueModel, shadow }] of surfaces) {
    if (gets(defaultModel)) {
      checkSurface(model, surface, `surface ${surface}`);
      if (valueModel !== undefined) {
        checkWeighedTasks(
          valueModel,
          `surface ${surface}: valueModel`,
          model.tasks,
          `${model.name}/${model.version}`,
        );
      }
    }
    if (shadow !== undefined && gets(shadow.model))
      checkSurface(model, surface, `the shadow of surface ${surface}`);
  }
  for (const experiment of experiments) {
    if (experiment.status === "stopped") continue;
    const arms = experiment.arms.filter((arm) => gets(arm.model));
    if (arms.length === 0) continue;
    // As if the others were right, which they were when they came to serve.
    const control = (arms.find((arm) => arm.control) ?? arms[0]) as (typeof arms)[number];
    const checked = arms.map((arm) => ({ ...arm, weight: 1, control: arm === control }));
    try {
      validateExperiment(
        {
          ...documentOf(experiment),
          kind: undefined,
          prerequisites: undefined,
          counterfactual: undefined,
          ramp: undefined,
          guardrails: undefined,
          arms: checked,
          overrides: {},
        },
        { models: [model], ...known, others: [] },
      );
    } catch (error) {
      if (!(error instanceof SetlistError)) throw error;
      throw new SetlistError(error.code, `experiment ${experiment.id}: ${error.message}`, { cause: error });
    }
  }
}

function checkSurface(model: Model, surface: string, by: string): void {
  if (model.surface === surface) return;
  throw new SetlistError(
    "INVALID_ARGUMENT",
    `model ${model.name}/${model.version}: expected surface ${surface}, for ${by} gets it, found ${model.surface}`,
  );
}
