import type { Model } from "../domain/model.ts";

/** A model's value model, worked out once: the columns that weigh anything, and how they fuse. */
export interface ValuePlan {
  readonly product: boolean;
  readonly columns: readonly number[];
  readonly weights: readonly number[];
}

/** A probability of 0 would make a product 0 (or infinite, for a negative weight) whatever the other tasks say. */
const probabilityMin = 1e-9;

/** Models live as long as the process, requests do not. */
const plans = new WeakMap<Model, ValuePlan>();

/** Tasks that the value model does not name weigh nothing. */
export function valuePlan(model: Model): ValuePlan {
  const known = plans.get(model);
  if (known !== undefined) return known;
  const weighed = model.tasks
    .map((task, column) => ({ column, weight: weightOf(model, task) }))
    .filter(({ weight }) => weight !== 0);
  const plan = {
    product: model.valueModel.kind === "weighted-product",
    columns: weighed.map(({ column }) => column),
    weights: weighed.map(({ weight }) => weight),
  };
  plans.set(model, plan);
  return plan;
}

/** Own names only: a task called `constructor` must not find what every object inherits. */
function weightOf({ valueModel }: Model, task: string): number {
  return Object.hasOwn(valueModel.weights, task) ? (valueModel.weights[task] ?? 0) : 0;
}

/**
 * The score of the candidate whose tasks begin at `offset`: `Σ weight × p`, or `Π p ^ weight` with p held within
 * [1e-9, 1] (docs/model-manifest.md). Always a finite number: a p that is none counts as the worst for its weight,
 * so that a broken row sinks instead of leading the list or breaking the comparison.
 */
export function scoreAt(plan: ValuePlan, probabilities: Float32Array, offset: number): number {
  // A product is summed in logarithms: a huge factor times a tiny one would be no number on the way.
  let sum = 0;
  for (let i = 0; i < plan.columns.length; i++) {
    const weight = plan.weights[i] as number;
    const raw = probabilities[offset + (plan.columns[i] as number)] as number;
    const p = Number.isFinite(raw) ? raw : weight > 0 ? 0 : 1;
    sum += weight * (plan.product ? Math.log(Math.min(1, Math.max(probabilityMin, p))) : p);
  }
  const score = plan.product ? Math.exp(sum) : sum;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, score));
}
