import type { Assignment } from "../domain/assignment.ts";
import type { Experiment } from "../domain/experiment.ts";
import { isInShare } from "./request-share.ts";
import type { AnsweredRequest } from "./shadows.ts";

/**
 * The answered request once for each arm that its unit does not have, for that arm to score it, where the experiment
 * asks for that and the request is of its share. A unit that was forced into its arm is never analysed: of it there are
 * none.
 */
export function otherArms(
  { id, arms, counterfactual }: Experiment,
  { arm: served, phase, overridden }: Assignment,
  answered: Pick<AnsweredRequest, "request" | "served" | "surface">,
): readonly AnsweredRequest[] {
  if (counterfactual === undefined || overridden) return [];
  if (!isInShare(counterfactual.share, answered.request.requestId, "counterfactual")) return [];
  return arms
    .filter((arm) => arm.id !== served)
    .map(({ id: other, model, valueModel }) => ({
      ...answered,
      shadow: { model, ...counterfactual },
      otherArm: { experiment: id, phase, served, other },
      arm: valueModel,
    }));
}
