import type { Assignment } from "../domain/assignment.ts";
import type { Arm, ExperimentDocument } from "../domain/experiment.ts";

/** What stands for both arms where their lists are drafted into one; no arm of such an experiment may be called so. */
export const interleavedArm = "interleaved";

/** The two arms whose lists an assignment drafts into one; undefined where it names one arm. */
export function interleavedArms(
  { kind, arms }: ExperimentDocument,
  { arm }: Assignment,
): readonly [Arm, Arm] | undefined {
  return kind === "interleave" && arm === interleavedArm ? [arms[0] as Arm, arms[1] as Arm] : undefined;
}

/** The arms that chance gives units of the experiment. */
export function drawnArms({ kind, arms }: ExperimentDocument): readonly string[] {
  return kind === "interleave" ? [interleavedArm] : arms.map(({ id }) => id);
}
