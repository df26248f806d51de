import type { Decision } from "../domain/assignment.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { FlagEvaluation, FlagReason } from "../domain/flag.ts";
import type { Assigner } from "../experiments/experiments.ts";
import { nearest } from "../schema/schema.ts";
import type { EvaluationContext } from "./evaluation-context.ts";

/**
 * One experiment as a flag.
 * @throws {SetlistError} NOT_FOUND with the nearest key that there is.
 */
export function evaluateFlag(
  assigner: Assigner,
  key: string,
  { unit, attributes }: EvaluationContext,
): FlagEvaluation {
  const experiment = knownFlag(assigner, key);
  return flagOf(experiment, assigner.decide(key, unit, attributes) as Decision);
}

/** Every experiment as a flag, in the order of their ids. */
export function evaluateFlags(
  assigner: Assigner,
  { unit, attributes }: EvaluationContext,
): readonly FlagEvaluation[] {
  const decisions = assigner.explain(undefined, unit, attributes);
  return assigner.experiments.map((experiment, place) => flagOf(experiment, decisions[place] as Decision));
}

/** @throws {SetlistError} NOT_FOUND with the nearest key that there is. */
export function knownFlag({ experiments }: Assigner, key: string): Experiment {
  const experiment = experiments.find(({ id }) => id === key);
  if (experiment !== undefined) return experiment;
  const known = experiments.map(({ id }) => id);
  // Measuring how near a long text is to every key would cost more than the answer is worth.
  const hint = key.length <= 256 ? nearest(key, known) : "";
  throw new SetlistError("NOT_FOUND", `no flag ${JSON.stringify(key)}${hint}`);
}

/** `gate` is there where the unit stays out: the first one that said no. */
function flagOf(experiment: Experiment, decision: Decision): FlagEvaluation {
  const { arm, reason, detail, layerBucket, armBucket } = decision;
  const { surface, layer, phase, revision } = experiment;
  const gate: { gate?: string } = arm === undefined ? { gate: reason } : {};
  return {
    key: experiment.id,
    reason: reasonOf(decision),
    variant: arm,
    metadata: { surface, layer, phase, revision, ...gate, detail, layerBucket, armBucket },
  };
}

function reasonOf({ arm, reason }: Decision): FlagReason {
  if (arm === undefined) return reason === "status" ? "DISABLED" : "DEFAULT";
  return reason === "override" ? "TARGETING_MATCH" : "SPLIT";
}
