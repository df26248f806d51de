import { finite } from "./fusion.ts";
import { bestFirst } from "./selection.ts";
import type { PlannedStep } from "./value-plan.ts";

/** `[candidates]`: a candidate's value of the feature that a step goes by; undefined where nobody knows one. */
export type Labels = readonly (string | undefined)[];

/**
 * Takes from the score of every candidate that follows better ones with its label, in place, so that sorting by the
 * new scores makes room for others: with k better ones before it, it keeps `floor + (1 - floor) × decay ^ k` of what
 * it has (the author diversity of x-algorithm's home mixer, one step over any label). A candidate without a label
 * repeats nothing.
 *
 * Within one label the order stays, since who comes later loses no smaller share; so one pass in the order of the
 * scores does what picking item by item would, each time the best of what is left.
 * @param repeats `[candidates]`, filled with each one's k where given.
 */
export function spread(scores: Float64Array, labels: Labels, step: PlannedStep, repeats?: Uint32Array): void {
  const { keys, keyCount } = keysOf(labels);
  const seen = new Uint32Array(keyCount + 1);
  const order = bestFirst(scores, scores.length);
  for (let rank = 0; rank < order.length; rank++) {
    const place = order[rank] as number;
    const key = keys[place] as number;
    if (key === 0) continue;
    const before = seen[key] as number;
    seen[key] = before + 1;
    if (before === 0) continue;
    const score = scores[place] as number;
    scores[place] = finite(score * factorOf(step, before, score));
    if (repeats !== undefined) repeats[place] = before;
  }
}

/** What a score is multiplied by after `repeats` better ones. One below 0 has to move down too: it grows. */
export function factorOf({ decay, floor }: PlannedStep, repeats: number, score: number): number {
  const share = Math.min(1, floor + (1 - floor) * decay ** repeats);
  return score < 0 ? 2 - share : share;
}

/** Numbers from 1 for the labels, in the order in which they come first; 0 for none. */
function keysOf(labels: Labels): { readonly keys: Uint32Array; readonly keyCount: number } {
  const numbers = new Map<string, number>();
  const keys = new Uint32Array(labels.length);
  for (let place = 0; place < keys.length; place++) {
    const label = labels[place];
    if (label === undefined) continue;
    let key = numbers.get(label);
    if (key === undefined) {
      key = numbers.size + 1;
      numbers.set(label, key);
    }
    keys[place] = key;
  }
  return { keys, keyCount: numbers.size };
}
