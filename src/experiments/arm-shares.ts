import type { Arm } from "../domain/experiment.ts";

/** An arm and its part of [0, 1): `from` inside, `to` outside. */
export interface ArmShare {
  readonly arm: { readonly id: string };
  readonly from: number;
  readonly to: number;
  /** The probability with which a unit of the experiment gets the arm. */
  readonly propensity: number;
}

/**
 * Arms take [0, 1) in the order of the document, each its share of the weights: an arm's `to` is the sum of the weights
 * up to and including its own, divided by the sum of all, in double precision. An arm without weight has an empty part.
 */
export function armShares(arms: readonly Arm[]): readonly ArmShare[] {
  const total = arms.reduce((sum, arm) => sum + arm.weight, 0);
  let sum = 0;
  let from = 0;
  return arms.map((arm) => {
    sum += arm.weight;
    const share = { arm, from, to: sum / total, propensity: arm.weight / total };
    from = share.to;
    return share;
  });
}

/** The share that holds `place`. The last `to` is exactly 1, so that there always is one. */
export function shareAt(shares: readonly ArmShare[], place: number): ArmShare {
  for (const share of shares) {
    if (place < share.to) return share;
  }
  throw new Error(`no arm takes ${place}: the experiment was not validated`);
}
