/** What may be asked of an experiment's log beside its arms' means. */

import { invalidArgument } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { Dialect, ResultRows } from "../measurement/measurement.ts";
import { nearest } from "../schema/schema.ts";
import type { AskedDesign, DesignFindings } from "./asked-design.ts";
import type { SegmentAttribute } from "./attribute-levels.ts";
import { calibrationDesign, type DecidingTests } from "./calibration-design.ts";
import { distributionDesign } from "./distribution-design.ts";
import { noveltyDesign } from "./novelty-design.ts";
import { type ArmPolicy, offPolicyDesign } from "./off-policy-design.ts";
import { overTimeDesign } from "./over-time-design.ts";
import { segmentsDesign } from "./segments-design.ts";
import { triggerDesign } from "./trigger-design.ts";

export interface DesignQuestions {
  readonly segments?: readonly SegmentAttribute[] | undefined;
  readonly novelty?: boolean | undefined;
  /** The difference so far, by day. */
  readonly overTime?: boolean | undefined;
  /** How the units are spread over each metric's values. */
  readonly distributions?: boolean | undefined;
  /** What a page shows besides, of any experiment that has it: the difference by day and the distributions. */
  readonly page?: boolean | undefined;
  /** Where the experiment logs counterfactuals; nothing is asked of any other. */
  readonly trigger?: boolean | undefined;
  readonly policies?: readonly ArmPolicy[] | undefined;
  /** `onProgress` is told of salts. */
  readonly calibrate?: { readonly onProgress?: ((done: number, of: number) => void) | undefined } | undefined;
}

/** @throws {SetlistError} INVALID_ARGUMENT for a policy with an arm that the experiment does not have, or the activity of no users. */
export function askedDesigns(
  dialect: Dialect,
  experiment: Experiment,
  asked: DesignQuestions,
  alpha: number,
  decidingTests: DecidingTests,
): AskedDesign[] {
  const { segments = [], novelty, overTime, distributions, page, trigger, policies = [], calibrate } = asked;
  for (const policy of policies) refuseUnknownArms(experiment, policy);
  if (experiment.unit !== "user" && segments.some(({ of }) => of === "activity")) {
    throw invalidArgument(
      `activity: only users have a past in the log, and ${experiment.id} randomises by ${experiment.unit}`,
    );
  }
  if (experiment.metrics.length === 0) return [];
  const hasValues = experiment.metrics.some(({ type }) => type !== "quantile");
  return [
    ...(segments.length === 0 ? [] : [segmentsDesign(dialect, experiment, segments, alpha)]),
    ...(novelty === true ? [noveltyDesign(dialect, experiment, alpha)] : []),
    ...(hasValues && (overTime === true || page === true)
      ? [overTimeDesign(dialect, experiment, alpha)]
      : []),
    ...(hasValues && (distributions === true || page === true) ? [distributionDesign(experiment)] : []),
    ...(trigger === true && experiment.counterfactual !== undefined
      ? [triggerDesign(dialect, experiment, alpha)]
      : []),
    ...(policies.length === 0 ? [] : [offPolicyDesign(dialect, experiment, policies, alpha)]),
    ...(calibrate === undefined
      ? []
      : [calibrationDesign(experiment, { ...calibrate, alpha, decidingTests })]),
  ];
}

/** All of them together. */
export async function findingsOf(
  designs: readonly AskedDesign[],
  results: ResultRows,
): Promise<DesignFindings> {
  let all: DesignFindings = { sections: {}, warnings: [] };
  for (const design of designs) {
    const { sections, warnings } = await design.findings(results);
    all = { sections: { ...all.sections, ...sections }, warnings: [...all.warnings, ...warnings] };
  }
  return all;
}

/** @throws {SetlistError} INVALID_ARGUMENT where something is asked that needs an arm for each unit. */
export function refuseForInterleaving({ id }: Experiment, asked: DesignQuestions): void {
  const { segments = [], policies = [], novelty, overTime, distributions, calibrate } = asked;
  const flags = [novelty, overTime, distributions].filter((one) => one === true);
  if (segments.length + policies.length + flags.length === 0 && calibrate === undefined) return;
  throw invalidArgument(
    `${id} is an interleaving, in which no unit has an arm: segments, novelty, the difference over time, distributions, ` +
      "policies and calibration are for experiments of kind ab",
  );
}

function refuseUnknownArms({ arms }: Experiment, policy: ArmPolicy): void {
  const known = arms.map(({ id }) => id);
  const unknown = [...policy.keys()].find((arm) => !known.includes(arm));
  if (unknown !== undefined) throw invalidArgument(`policy: no arm ${unknown}${nearest(unknown, known)}`);
}
