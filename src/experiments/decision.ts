import type { Decision } from "../domain/assignment.ts";
import { shareAt } from "./arm-shares.ts";
import type { UnitBytes } from "./bucket.ts";
import type { CompiledExperiment } from "./compiled-experiment.ts";
import type { TargetingInput } from "./targeting.ts";
import { describeRanges, holds } from "./traffic.ts";

export interface DecisionInput {
  /** Undefined asks regardless of the surface. */
  readonly surface: string | undefined;
  readonly unitId: string;
  readonly unit: UnitBytes;
  readonly input: TargetingInput;
}

type Verdict = Pick<Decision, "reason" | "detail" | "arm">;

/** What one experiment decides for one unit: its arm, or the first gate that said no. */
export function decide(one: CompiledExperiment, asked: DecisionInput): Decision {
  const { id, layer } = one.experiment;
  const layerBucket = one.layer.bucket(asked.unit);
  const armBucket = one.armBucket(asked.unit);
  return { experiment: id, layer, ...verdict(one, asked, layerBucket, armBucket), layerBucket, armBucket };
}

/** The gates, in the order in which `assign` passes them. */
function verdict(
  one: CompiledExperiment,
  { surface, unitId, input }: DecisionInput,
  layerBucket: number,
  armBucket: number,
): Verdict {
  const { id, layer, status, killed, ranges } = one.experiment;
  if (surface !== undefined && surface !== one.experiment.surface) {
    return out("surface", `it runs on surface ${one.experiment.surface}, not on ${surface}`);
  }
  if (status !== "running") return out("status", `it is ${statusWords[status]}; only a running one assigns`);
  if (killed !== undefined) return out("killed", `it was killed: ${killed}`);

  const forced = one.layer.forced?.get(unitId);
  if (forced?.experiment === id) {
    return {
      reason: "override",
      detail: "an override forces the arm; never analysed",
      arm: forced.share.arm.id,
    };
  }
  if (forced !== undefined) {
    return out("layer-range", `an override forces the unit into ${forced.experiment} of the same layer`);
  }
  if (!holds(ranges, layerBucket)) {
    const place = `${layerBucket.toFixed(6)} of layer ${layer}`;
    return out("layer-range", `the unit's place, ${place}, is outside its ranges: ${describeRanges(ranges)}`);
  }
  const refusal = one.targeting?.refusal(input);
  if (refusal !== undefined) return out(refusal.reason, refusal.detail);

  const { arm, from, to } = shareAt(one.shares, armBucket);
  const detail = `the unit's place among the arms, ${armBucket.toFixed(6)}, is in [${short(from)}, ${short(to)})`;
  return { reason: "assigned", detail, arm: arm.id };
}

const statusWords = { draft: "a draft", paused: "paused", stopped: "stopped" };

function out(reason: Decision["reason"], detail: string): Verdict {
  return { reason, detail, arm: undefined };
}

/** At most six decimals, without trailing zeros. */
function short(share: number): string {
  return String(Number(share.toFixed(6)));
}
