import type { Assignment } from "../domain/assignment.ts";
import type { Arm, Experiment } from "../domain/experiment.ts";
import type { ArmShare } from "./arm-shares.ts";

/** What stands for both arms where their lists are drafted into one; no arm of such an experiment may be called so. */
export const interleavedArm = "interleaved";

/** Every unit of an interleaving gets the same: both arms. */
export const interleavedShares: readonly ArmShare[] = [
  { arm: { id: interleavedArm }, from: 0, to: 1, propensity: 1 },
];

/** The two arms whose lists an assignment drafts into one; undefined where it names one arm. */
export function interleavedArms(
  { kind, arms }: Experiment,
  { arm }: Assignment,
): readonly [Arm, Arm] | undefined {
  return kind === "interleave" && arm === interleavedArm ? [arms[0] as Arm, arms[1] as Arm] : undefined;
}
