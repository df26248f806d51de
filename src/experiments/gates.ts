import type { KeptArm } from "../domain/assignment.ts";
import { shareAt } from "./arm-shares.ts";
import type { Asking } from "./asking.ts";
import type { UnitKey } from "./bucket.ts";
import { assigns, type CompiledExperiment } from "./compiled-experiment.ts";
import type { Entry, Ruling } from "./entry.ts";
import type { CompiledHoldout } from "./holdout.ts";
import { unitFault } from "./unit.ts";

/** What deciding one experiment may have to look up beside it. */
export interface House {
  readonly compiled: readonly CompiledExperiment[];
  /** The arm that a unit of a sticky experiment was shown; undefined where it was shown none. */
  readonly keptArm: (experiment: string, unit: string) => KeptArm | undefined;
}

/** All gates of one experiment, in their order, but for the surface. */
export function rulingOf(one: CompiledExperiment, asking: Asking, house: House): Ruling {
  const { experiment, layer, index } = one;
  if (!assigns(experiment)) return experiment.status === "running" ? "killed" : "status";
  const unit = asking.unit(layer.kind);
  if (unit === undefined) return unitFault(layer.kind.unit, asking.facts).reason;
  const forced = layer.forced?.get(unit.id);
  // A unit forced into one experiment of a layer is in no other of that layer.
  if (forced !== undefined) return forced.index === index ? forced.entry : "layer-range";
  const owner = layer.segments.ownerOf(layer.bucket.placeOf(unit));
  if (owner === undefined) return "traffic";
  return owner === index ? rulingWithin(one, unit, asking, house) : "layer-range";
}

/** The gates behind the layer's, for a unit whose place is the experiment's. */
export function rulingWithin(one: CompiledExperiment, unit: UnitKey, asking: Asking, house: House): Ruling {
  const { holdouts } = one.layer;
  for (let i = 0; i < holdouts.length; i++) {
    const holdout = holdouts[i] as CompiledHoldout;
    const held = asking.isHeldOut(holdout);
    // Nobody can say that it is not held out.
    if (held === undefined) return unitFault(holdout.kind.unit, asking.facts).reason;
    if (held) return "holdout";
  }
  let isForced = false;
  if (one.prerequisites !== undefined) {
    for (const { index, arms } of one.prerequisites) {
      const ruling = prerequisiteRuling(index, asking, house);
      if (typeof ruling === "string" || !arms.includes(ruling.arm)) return "prerequisite";
      isForced ||= ruling.overridden;
    }
  }
  if (one.targeting !== undefined && !one.targeting.admits(asking.input())) {
    return one.targeting.refusal(asking.input())?.reason ?? "targeting";
  }
  if (one.experiment.sticky === true) {
    const kept = keptEntry(one, unit, isForced, house);
    if (kept !== undefined) return kept;
  }
  const share = shareAt(one.shares, one.armBucket.placeOf(unit));
  return isForced ? share.forced : share.drawn;
}

/** What a unit gets of an experiment that another asks for, worked out once a request. */
export function prerequisiteRuling(index: number | undefined, asking: Asking, house: House): Ruling {
  if (index === undefined) return "status";
  return asking.once(index, () => rulingOf(house.compiled[index] as CompiledExperiment, asking, house));
}

/** An arm that the document does not have any more cannot be kept. */
function keptEntry(
  { experiment, arms }: CompiledExperiment,
  unit: UnitKey,
  isForced: boolean,
  house: House,
): Entry | undefined {
  const { id, layer } = experiment;
  const kept = house.keptArm(id, unit.id);
  if (kept === undefined || !arms.has(kept.arm)) return undefined;
  const { arm, phase, propensity } = kept;
  return { experiment: id, arm, layer, phase, propensity, overridden: isForced };
}
