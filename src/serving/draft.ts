import type { Assignment } from "../domain/assignment.ts";
import type { Experiment } from "../domain/experiment.ts";
import { interleavedArms } from "../experiments/experiments.ts";
import { type Ranker, rankerOf } from "./ranker.ts";

/** Two arms whose lists are to be drafted into one. */
export interface Draft {
  /** The arms' names, in the order of the document. */
  readonly teams: readonly [string, string];
  readonly rankers: readonly [Ranker, Ranker];
  /** The one whose model the answer names. */
  readonly control: 0 | 1;
  readonly salt: string;
  readonly unit: string;
}

/** Undefined where the assignment names one arm. */
export function draftOf(
  experiment: Experiment,
  acted: Assignment,
  surface: Parameters<typeof rankerOf>[1],
): Draft | undefined {
  const arms = interleavedArms(experiment, acted);
  if (arms === undefined) return undefined;
  const [first, second] = arms;
  return {
    teams: [first.id, second.id],
    rankers: [rankerOf(first, surface), rankerOf(second, surface)],
    control: first.control ? 0 : 1,
    salt: experiment.salt,
    unit: acted.unit,
  };
}
