import type { Arm, Experiment } from "../domain/experiment.ts";
import type { Entry } from "./entry.ts";

/** An arm and its part of [0, 1): `from` inside, `to` outside. */
export interface ArmShare {
  readonly arm: Arm;
  readonly from: number;
  readonly to: number;
  /** The probability with which a unit of the experiment gets the arm. */
  readonly propensity: number;
}

/** An arm's part, with what is to be answered for the units in it. */
export interface EntryShare extends ArmShare {
  readonly drawn: Entry;
  /** For a unit that did not get here by chance alone. */
  readonly forced: Entry;
}

/**
 * Arms take [0, 1) in the order of the document, each its share of the weights: an arm's `to` is the sum of the weights
 * up to and including its own, divided by the sum of all, in double precision. An arm without weight has an empty part.
 */
function armShares(arms: readonly Arm[]): readonly ArmShare[] {
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

/** An experiment's arms, each with its entries. */
export function entryShares({ id, layer, phase, arms }: Experiment): readonly EntryShare[] {
  return armShares(arms).map((share) => {
    const { arm, propensity } = share;
    const drawn = { experiment: id, arm: arm.id, layer, phase, propensity, overridden: false };
    return { ...share, drawn, forced: { ...drawn, overridden: true } };
  });
}

/** The share that holds `place`. The last `to` is exactly 1, so that there always is one. */
export function shareAt<Share extends ArmShare>(shares: readonly Share[], place: number): Share {
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] as Share;
    if (place < share.to) return share;
  }
  throw new Error(`no arm takes ${place}: the experiment was not validated`);
}
