import type { AppliedValueModel, ValueModelOrigin } from "../domain/explanation.ts";
import type { Model, TaskFusion, ValueModelOverride } from "../domain/model.ts";
import { type TaskReader, taskReader } from "./task-reader.ts";

/** A value model with everything worked out that a request would otherwise repeat. */
export interface ValuePlan extends AppliedValueModel {
  /** The names and columns of the tasks that weigh anything, in the model's order, with their weights and powers. */
  readonly weighed: readonly WeighedTask[];
  readonly product: boolean;
  /** How many columns a row of probabilities has. */
  readonly width: number;
  readonly diversity: readonly PlannedStep[];
  readonly readTasks: TaskReader;
}

/** A diversity step with its floor. */
export interface PlannedStep {
  readonly by: string;
  readonly decay: number;
  readonly floor: number;
}

export interface WeighedTask {
  readonly task: string;
  readonly column: number;
  readonly weight: number;
  readonly power: number;
}

/** Models, surfaces and arms live as long as their documents stand, requests do not. */
const plans = new WeakMap<Model, WeakMap<ValueModelOverride, WeakMap<ValueModelOverride, ValuePlan>>>();
const nothing: ValueModelOverride = Object.freeze({});

/**
 * The model's value model with what the surface and the arm say over it. The fusion and the diversity each come whole
 * from the first that says something: arm, surface, model.
 */
export function valuePlan(
  model: Model,
  surface: ValueModelOverride = nothing,
  arm: ValueModelOverride = nothing,
): ValuePlan {
  const known = plans.get(model)?.get(surface)?.get(arm);
  if (known !== undefined) return known;
  const bySurface = plans.get(model) ?? new WeakMap();
  const byArm = bySurface.get(surface) ?? new WeakMap();
  const plan = makePlan(model, surface, arm);
  plans.set(model, bySurface.set(surface, byArm.set(arm, plan)));
  return plan;
}

function makePlan(model: Model, surface: ValueModelOverride, arm: ValueModelOverride): ValuePlan {
  const said = [
    { origin: "arm" as const, ...arm },
    { origin: "surface" as const, ...surface },
    { origin: "model" as const, diversity: [], ...model.valueModel },
  ];
  const fusion = said.find(({ kind }) => kind !== undefined) as TaskFusion & { origin: ValueModelOrigin };
  const spread = said.find((one) => one.diversity !== undefined) as (typeof said)[number];
  const { kind, weights, powers } = fusion;
  const diversity = spread.diversity ?? [];
  return {
    valueModel: { kind, weights, ...(powers === undefined ? {} : { powers }), diversity },
    origin: { fusion: fusion.origin, diversity: spread.origin },
    weighed: model.tasks
      .map((task, column) => ({ task, column, weight: own(weights, task, 0), power: own(powers, task, 1) }))
      .filter(({ weight }) => weight !== 0),
    product: kind === "weighted-product",
    width: model.tasks.length,
    diversity: diversity.map(({ by, decay, floor = 0 }) => ({ by, decay, floor })),
    readTasks: taskReader(model.tasks),
  };
}

/** Own names only: a task called `constructor` must not find what every object inherits. */
function own(of: Readonly<Record<string, number>> | undefined, task: string, otherwise: number): number {
  return of !== undefined && Object.hasOwn(of, task) ? (of[task] ?? otherwise) : otherwise;
}
