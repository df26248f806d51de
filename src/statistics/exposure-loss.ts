/**
 * Units that were assigned and never seen. Lost exposures are the usual cause of a broken split: an arm whose page
 * crashes or answers late loses the units that it served worst (Fabijan et al., KDD 2019, section 4).
 */
import { upperChiSquare } from "./distributions.ts";
import { type Answer, answer, noAnswer } from "./estimate.ts";

export interface ExposedArm {
  /** Units that were given the arm. */
  readonly assigned: number;
  /** Those of them whose exposure came. */
  readonly exposed: number;
}

export interface ExposureLoss {
  /** Shares lost, in the order of the arms; undefined for an arm without units. */
  readonly lost: readonly (number | undefined)[];
  readonly statistic: number;
  readonly degreesOfFreedom: number;
  readonly pValue: number;
}

/**
 * Pearson's chi-square of homogeneity, lost and exposed by arm, without continuity correction.
 * @returns `no-loss` where nothing or everything was lost, so that there is nothing to compare; `few-expected` where an arm
 * expects fewer than five lost or exposed units; `one-arm` where fewer than two arms have units.
 */
export function exposureLoss(
  arms: readonly ExposedArm[],
): Answer<ExposureLoss, "one-arm" | "no-loss" | "few-expected"> {
  const filled = arms.filter(({ assigned }) => assigned > 0);
  if (filled.length < 2) return noAnswer("one-arm");
  const assigned = filled.reduce((sum, arm) => sum + arm.assigned, 0);
  const exposed = filled.reduce((sum, arm) => sum + arm.exposed, 0);
  const share = exposed / assigned;
  if (share === 0 || share === 1) return noAnswer("no-loss");
  const least = Math.min(share, 1 - share);
  if (filled.some((arm) => arm.assigned * least < 5)) return noAnswer("few-expected");
  // Both cells of an arm are off by the same number of units.
  const statistic = filled.reduce(
    (sum, arm) => sum + (arm.exposed - arm.assigned * share) ** 2 / (arm.assigned * share * (1 - share)),
    0,
  );
  const degreesOfFreedom = filled.length - 1;
  return answer({
    lost: arms.map((arm) => (arm.assigned > 0 ? 1 - arm.exposed / arm.assigned : undefined)),
    statistic,
    degreesOfFreedom,
    pValue: upperChiSquare(statistic, degreesOfFreedom),
  });
}
