import type { Assignment, ClosedGate, Decision, DecisionReason } from "../domain/assignment.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { Asking } from "./asking.ts";
import type { UnitKey } from "./bucket.ts";
import type { CompiledExperiment } from "./compiled-experiment.ts";
import { assignmentOf, type Entry, type Gate } from "./entry.ts";
import { type House, prerequisiteRuling, rulingOf } from "./gates.ts";
import { describeRanges } from "./traffic.ts";
import { unitFault } from "./unit.ts";

/** What one experiment decided for one unit, and the assignment where the unit is in. */
export interface Decided {
  readonly decision: Decision;
  readonly assignment: Assignment | undefined;
}

interface Verdict extends Pick<Decision, "reason" | "detail"> {
  readonly entry: Entry | undefined;
}

/** What one experiment decides for one request: its arm, or the first gate that said no. */
export function decide(
  one: CompiledExperiment,
  surface: string | undefined,
  asking: Asking,
  house: House,
): Decided {
  const { id, layer } = one.experiment;
  const unit = asking.unit(one.layer.kind);
  const { holdouts } = one.layer;
  const { reason, detail, entry } = verdict(one, surface, asking, house);
  const decision = {
    experiment: id,
    layer,
    reason,
    detail,
    arm: entry?.arm,
    unit: unit?.id,
    layerBucket: unit && one.layer.bucket.placeOf(unit),
    armBucket: unit && one.armBucket.placeOf(unit),
    holdouts:
      holdouts.length === 0
        ? undefined
        : holdouts.map(({ holdout, kind, bucket }) => {
            const held = asking.unit(kind);
            return { holdout: holdout.id, bucket: held && bucket.placeOf(held) };
          }),
  };
  return { decision, assignment: entry && assignmentOf(entry, (unit as UnitKey).id) };
}

function verdict(
  one: CompiledExperiment,
  surface: string | undefined,
  asking: Asking,
  house: House,
): Verdict {
  const runsOn = one.experiment.surface;
  if (surface !== undefined && surface !== runsOn) {
    return out("surface", `it runs on surface ${runsOn}, not on ${surface}`);
  }
  const ruling = rulingOf(one, asking, house);
  return typeof ruling === "string"
    ? out(ruling, whyNot(ruling, one, asking, house))
    : entered(ruling, one, asking);
}

function entered(entry: Entry, one: CompiledExperiment, asking: Asking): Verdict {
  const unit = asking.unit(one.layer.kind) as UnitKey;
  if (one.layer.forced?.has(unit.id) === true) {
    return inArm("override", "an override forces the arm; never analysed", entry);
  }
  const apart = entry.overridden ? "; never analysed, as an override forces a prerequisite" : "";
  const share = one.shares.find(({ drawn, forced }) => entry === drawn || entry === forced);
  if (share === undefined) {
    const detail = `it was shown this arm in phase ${entry.phase}, and the experiment is sticky${apart}`;
    return inArm("sticky", detail, entry);
  }
  if (one.experiment.kind === "interleave") {
    const both = one.experiment.arms.map(({ id }) => id).join(" and ");
    return inArm("assigned", `the lists of ${both} are drafted into one${apart}`, entry);
  }
  const place = one.armBucket.placeOf(unit).toFixed(6);
  const detail = `the unit's place among the arms, ${place}, is in [${short(share.from)}, ${short(share.to)})`;
  return inArm("assigned", detail + apart, entry);
}

function whyNot(gate: Gate, one: CompiledExperiment, asking: Asking, house: House): string {
  switch (gate) {
    case "status":
      return `it is ${statusWords[one.experiment.status]}; only a running one assigns`;
    case "killed":
      return `it was killed: ${one.experiment.killed}`;
    case "unit-missing":
    case "unit-invalid":
      return missingUnit(one, asking);
    case "layer-range":
    case "traffic":
      return outsideRanges(gate, one, asking, house);
    case "holdout":
      return heldOut(one, asking);
    case "prerequisite":
      return unmetPrerequisite(one, asking, house);
    case "targeting":
    case "targeting-attribute-missing":
      return one.targeting?.refusal(asking.input())?.detail ?? "";
  }
}

function missingUnit({ layer }: CompiledExperiment, asking: Asking): string {
  if (asking.unit(layer.kind) === undefined) return unitFault(layer.kind.unit, asking.facts).detail;
  const holdout = layer.holdouts.find(({ kind }) => asking.unit(kind) === undefined);
  return holdout === undefined
    ? ""
    : `holdout ${holdout.holdout.id}: ${unitFault(holdout.kind.unit, asking.facts).detail}`;
}

function outsideRanges(
  gate: "layer-range" | "traffic",
  { experiment, layer }: CompiledExperiment,
  asking: Asking,
  house: House,
): string {
  const unit = asking.unit(layer.kind) as UnitKey;
  const forced = layer.forced?.get(unit.id);
  if (forced !== undefined) {
    return `an override forces the unit into ${idAt(forced.index, house)} of the same layer`;
  }
  const bucket = layer.bucket.placeOf(unit);
  const owner = gate === "traffic" ? undefined : layer.segments.ownerOf(bucket);
  const holder = owner === undefined ? "nobody's" : `${idAt(owner, house)}'s`;
  const place = `${bucket.toFixed(6)} of layer ${experiment.layer}`;
  return `the unit's place, ${place}, is ${holder}, outside its ranges: ${describeRanges(experiment.ranges)}`;
}

function heldOut({ layer }: CompiledExperiment, asking: Asking): string {
  const holder = layer.holdouts.find((holdout) => asking.isHeldOut(holdout) === true);
  if (holder === undefined) return "";
  const { holdout, kind, bucket } = holder;
  const place = bucket.placeOf(asking.unit(kind) as UnitKey).toFixed(6);
  return `the unit's place in holdout ${holdout.id}, ${place}, is in [0, ${short(holdout.share)}): it enters none of its experiments`;
}

function unmetPrerequisite({ prerequisites = [] }: CompiledExperiment, asking: Asking, house: House): string {
  for (const { experiment, index, arms } of prerequisites) {
    const ruling = prerequisiteRuling(index, asking, house);
    if (typeof ruling !== "string" && arms.includes(ruling.arm)) continue;
    const wanted = `it asks for ${arms.join(" or ")} of ${experiment}`;
    return typeof ruling === "string"
      ? `${wanted}, which the unit does not enter (${ruling})`
      : `${wanted}, where the unit got ${ruling.arm}`;
  }
  return "";
}

const statusWords: Readonly<Record<Experiment["status"], string>> = {
  draft: "a draft",
  running: "running",
  paused: "paused",
  stopped: "stopped",
};

function idAt(index: number, { compiled }: House): string {
  return (compiled[index] as CompiledExperiment).experiment.id;
}

function inArm(reason: DecisionReason, detail: string, entry: Entry): Verdict {
  return { reason, detail, entry };
}

function out(reason: ClosedGate, detail: string): Verdict {
  return { reason, detail, entry: undefined };
}

/** At most six decimals, without trailing zeros. */
function short(share: number): string {
  return String(Number(share.toFixed(6)));
}
