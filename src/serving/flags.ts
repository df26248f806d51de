import type { Assignment, Decision } from "../domain/assignment.ts";
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
export function evaluateFlag(assigner: Assigner, key: string, context: EvaluationContext): FlagEvaluation {
  const experiment = knownFlag(assigner, key);
  const decision = assigner.decide(key, context.user, context.facts) as Decision;
  const assignment = decision.arm === undefined ? undefined : assignmentOf(assigner, experiment, context);
  return flagOf(experiment, decision, assignment?.overridden === true);
}

/** Every experiment as a flag, in the order of their ids. */
export function evaluateFlags(
  assigner: Assigner,
  { user, facts }: EvaluationContext,
): readonly FlagEvaluation[] {
  const { experiments } = assigner;
  const decisions = assigner.explain(undefined, user, facts);
  const surfaces = new Set(experiments.map(({ surface }) => surface));
  const assignments = [...surfaces].flatMap((surface) => assigner.assign(surface, user, facts));
  const overridden = new Set(assignments.filter((one) => one.overridden).map((one) => one.experiment));
  return experiments.map((experiment, place) =>
    flagOf(experiment, decisions[place] as Decision, overridden.has(experiment.id)),
  );
}

/** @throws {SetlistError} NOT_FOUND with the nearest key that there is. */
export function knownFlag({ experiments }: Assigner, key: string): Experiment {
  const experiment = experiments.find(({ id }) => id === key);
  if (experiment !== undefined) return experiment;
  const known = experiments.map(({ id }) => id);
  throw new SetlistError("NOT_FOUND", `no flag ${JSON.stringify(key)}${nearest(key, known)}`);
}

/** Undefined where the unit gets no arm. */
export function assignmentOf(
  assigner: Assigner,
  { id, surface }: Experiment,
  { user, facts }: EvaluationContext,
): Assignment | undefined {
  return assigner.assign(surface, user, facts).find(({ experiment }) => experiment === id);
}

function flagOf(experiment: Experiment, decision: Decision, overridden: boolean): FlagEvaluation {
  const { arm, reason, detail, unit, layerBucket, armBucket } = decision;
  const { surface, layer, phase, revision } = experiment;
  const gate = arm === undefined ? reason : undefined;
  return {
    key: experiment.id,
    reason: reasonOf(decision, overridden),
    variant: arm,
    metadata: { surface, layer, phase, revision, gate, detail, unit, layerBucket, armBucket },
  };
}

function reasonOf({ arm, reason }: Decision, overridden: boolean): FlagReason {
  if (arm === undefined) return reason === "status" || reason === "killed" ? "DISABLED" : "DEFAULT";
  return overridden ? "TARGETING_MATCH" : "SPLIT";
}
