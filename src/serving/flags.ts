import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { FlagEvaluation, FlagReason } from "../domain/flag.ts";
import type { Assigner, Decided } from "../experiments/experiments.ts";
import { nearest } from "../schema/schema.ts";
import type { EvaluationContext } from "./evaluation-context.ts";

/**
 * One experiment as a flag.
 * @throws {SetlistError} NOT_FOUND with the nearest key that there is.
 */
export function evaluateFlag(assigner: Assigner, key: string, context: EvaluationContext): FlagEvaluation {
  const experiment = knownFlag(assigner, key);
  return flagOf(experiment, assigner.decide(key, context.user, context.facts) as Decided);
}

/** Every experiment as a flag, in the order of their ids. */
export function evaluateFlags(
  assigner: Assigner,
  { user, facts }: EvaluationContext,
): readonly FlagEvaluation[] {
  const decided = assigner.decideAll(user, facts);
  return assigner.experiments.map((experiment, place) => flagOf(experiment, decided[place] as Decided));
}

/** @throws {SetlistError} NOT_FOUND with the nearest key that there is. */
export function knownFlag({ experiments }: Assigner, key: string): Experiment {
  const experiment = experiments.find(({ id }) => id === key);
  if (experiment !== undefined) return experiment;
  const known = experiments.map(({ id }) => id);
  throw new SetlistError("NOT_FOUND", `no flag ${JSON.stringify(key)}${nearest(key, known)}`);
}

function flagOf(experiment: Experiment, decided: Decided): FlagEvaluation {
  const { arm, reason, detail, unit, layerBucket, armBucket } = decided.decision;
  const { surface, layer, phase, revision } = experiment;
  const gate = arm === undefined ? reason : undefined;
  return {
    key: experiment.id,
    reason: reasonOf(decided),
    variant: arm,
    metadata: { surface, layer, phase, revision, gate, detail, unit, layerBucket, armBucket },
  };
}

function reasonOf({ decision: { reason }, assignment }: Decided): FlagReason {
  if (assignment === undefined) return reason === "status" || reason === "killed" ? "DISABLED" : "DEFAULT";
  return assignment.overridden ? "TARGETING_MATCH" : "SPLIT";
}
