import { invalidArgument } from "../domain/error.ts";
import type { Arm, Experiment } from "../domain/experiment.ts";
import { type ArmShare, armShares } from "./arm-shares.ts";
import { type Bucket, bucketOf } from "./bucket.ts";
import { compileTargeting, type Targeting } from "./targeting.ts";
import { describeRanges, holds } from "./traffic.ts";

/** What the experiments of one layer share. */
export interface CompiledLayer {
  readonly bucket: Bucket;
  /** Units forced into an arm of one of the layer's running experiments; undefined where there is none. */
  readonly forced: ReadonlyMap<string, ForcedUnit> | undefined;
}

interface ForcedUnit {
  readonly experiment: string;
  readonly share: ArmShare;
}

/** An experiment with everything worked out that a request would otherwise repeat. */
export interface CompiledExperiment {
  readonly experiment: Experiment;
  readonly layer: CompiledLayer;
  readonly armBucket: Bucket;
  readonly shares: readonly ArmShare[];
  readonly arms: ReadonlyMap<string, Arm>;
  readonly targeting: Targeting | undefined;
}

/** Compiles experiments into the order of their ids; see `compileAssigner` for what is refused. */
export function compileExperiments(experiments: readonly Experiment[]): readonly CompiledExperiment[] {
  const ordered = [...experiments].sort((a, b) => (a.id < b.id ? -1 : 1));
  refuseDuplicates(ordered);
  const layers = new Map<string, CompiledLayer>();
  for (const [layer, mates] of Map.groupBy(ordered, (one) => one.layer)) {
    const running = mates.filter(assigns);
    refuseOverlap(running);
    layers.set(layer, { bucket: bucketOf(`layer:${layer}`), forced: forcedUnits(running) });
  }
  return ordered.map((experiment) => {
    const shares = armShares(experiment.arms);
    return {
      experiment,
      layer: layers.get(experiment.layer) as CompiledLayer,
      armBucket: bucketOf(experiment.salt),
      shares,
      arms: new Map(experiment.arms.map((arm) => [arm.id, arm])),
      targeting: experiment.targeting === undefined ? undefined : compileTargeting(experiment.targeting),
    };
  });
}

/** Whether units can get an arm of it at all. */
export function assigns({ status, killed }: Experiment): boolean {
  return status === "running" && killed === undefined;
}

/** Where two experiments of a layer force the same unit, the first in the order of ids has it. */
function forcedUnits(running: readonly Experiment[]): CompiledLayer["forced"] {
  const forced = new Map<string, ForcedUnit>();
  for (const { id, arms, overrides } of running) {
    const shares = armShares(arms);
    for (const [unit, armId] of Object.entries(overrides)) {
      const share = shares.find(({ arm }) => arm.id === armId);
      if (share !== undefined && !forced.has(unit)) forced.set(unit, { experiment: id, share });
    }
  }
  return forced.size === 0 ? undefined : forced;
}

function refuseDuplicates(ordered: readonly Experiment[]): void {
  for (const [index, { id }] of ordered.entries()) {
    if (ordered[index + 1]?.id === id)
      throw invalidArgument(`id: two experiments are called ${JSON.stringify(id)}`);
  }
}

function refuseOverlap(running: readonly Experiment[]): void {
  const starts = running.flatMap((one) => one.ranges.map(({ from }) => ({ id: one.id, from })));
  for (const { id, from } of starts) {
    const other = running.find((one) => one.id !== id && holds(one.ranges, from));
    if (other === undefined) continue;
    throw invalidArgument(
      `ranges: ${id} and ${other.id} both hold ${from} of layer ${other.layer} (${describeRanges(other.ranges)})`,
    );
  }
}
