import type { Model } from "../domain/model.ts";

/**
 * What is wrong with `probabilities` `[candidates, tasks]`: the first that is no number. An order over it would be
 * arbitrary. Undefined where all are numbers.
 */
export function probabilityFault(model: Model, probabilities: Float32Array): string | undefined {
  // A loop: of 600 probabilities `findIndex` makes 600 numbers on the heap, a tenth of what a request left there.
  let wrong = 0;
  while (wrong < probabilities.length && Number.isFinite(probabilities[wrong])) wrong += 1;
  if (wrong === probabilities.length) return undefined;
  const task = model.tasks[wrong % model.tasks.length];
  const candidate = Math.floor(wrong / model.tasks.length);
  return `model ${model.name}/${model.version} gave ${probabilities[wrong]} for ${task} of candidate ${candidate}`;
}
