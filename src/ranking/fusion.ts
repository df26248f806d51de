import type { ValuePlan, WeighedTask } from "./value-plan.ts";

/** A probability of 0 would make a product 0 (or infinite, for a negative weight) whatever the other tasks say. */
const probabilityMin = 1e-9;

/**
 * The fused score of each candidate: `Float64Array [candidates]`, from `probabilities` `[candidates, tasks] float32`.
 * A product holds p within [1e-9, 1], a power within [0, 1] (docs/model-manifest.md). Always finite numbers: a p that
 * is none counts as the worst for its weight, so that a broken row sinks instead of leading the list or breaking the
 * comparison.
 *
 * Column by column: one loop without a branch on the value model for each task that weighs anything.
 */
export function fusedScores(
  { weighed, product, width }: ValuePlan,
  probabilities: Float32Array,
  candidateCount: number,
): Float64Array {
  const scores = new Float64Array(candidateCount);
  for (const task of weighed) {
    if (product) addLogarithms(scores, probabilities, width, task);
    else if (task.power === 1) addWeighted(scores, probabilities, width, task);
    else addPowers(scores, probabilities, width, task);
  }
  for (let i = 0; i < scores.length; i++) {
    const sum = scores[i] as number;
    scores[i] = finite(product ? Math.exp(sum) : sum);
  }
  return scores;
}

/** What one task adds to a candidate's sum, or multiplies its product by: the same arithmetic, for one of them. */
export function partOf({ product }: ValuePlan, task: WeighedTask, p: number): number {
  const { weight, power } = task;
  const held = orWorst(p, weight);
  if (product) return finite(Math.exp(weight * logarithm(held)));
  return finite(power === 1 ? weight * held : weight * unit(held) ** power);
}

function addWeighted(
  scores: Float64Array,
  probabilities: Float32Array,
  width: number,
  task: WeighedTask,
): void {
  const { column, weight } = task;
  for (let i = 0, at = column; i < scores.length; i++, at += width) {
    scores[i] = (scores[i] as number) + weight * orWorst(probabilities[at] as number, weight);
  }
}

function addPowers(
  scores: Float64Array,
  probabilities: Float32Array,
  width: number,
  task: WeighedTask,
): void {
  const { column, weight, power } = task;
  for (let i = 0, at = column; i < scores.length; i++, at += width) {
    const p = unit(orWorst(probabilities[at] as number, weight));
    scores[i] = (scores[i] as number) + weight * p ** power;
  }
}

/** A product is summed in logarithms: a huge factor times a tiny one would be no number on the way. */
function addLogarithms(
  scores: Float64Array,
  probabilities: Float32Array,
  width: number,
  task: WeighedTask,
): void {
  const { column, weight } = task;
  for (let i = 0, at = column; i < scores.length; i++, at += width) {
    const p = orWorst(probabilities[at] as number, weight);
    scores[i] = (scores[i] as number) + weight * logarithm(p);
  }
}

function orWorst(p: number, weight: number): number {
  return Number.isFinite(p) ? p : weight > 0 ? 0 : 1;
}

function logarithm(p: number): number {
  return Math.log(Math.min(1, Math.max(probabilityMin, p)));
}

function unit(p: number): number {
  return Math.min(1, Math.max(0, p));
}

/** Within the doubles; what is no number (huge weights that cancel out) goes last. */
export function finite(score: number): number {
  return score >= -Number.MAX_VALUE ? Math.min(Number.MAX_VALUE, score) : -Number.MAX_VALUE;
}
