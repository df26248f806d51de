import { invalidArgument } from "../domain/error.ts";
import type { Arm, Experiment, Holdout, Unit } from "../domain/experiment.ts";
import { armEntries, type EntryShare, entryShares } from "./arm-shares.ts";
import { Bucket } from "./bucket.ts";
import type { Entry } from "./entry.ts";
import { type CompiledHoldout, compileHoldouts, covers } from "./holdout.ts";
import { LayerSegments } from "./layer-segments.ts";
import { keptTargeting, type Targeting } from "./targeting.ts";
import { describeRanges, holds } from "./traffic.ts";
import { type UnitKind, unitKind } from "./unit.ts";

/** What the experiments of one layer share. */
export interface CompiledLayer {
  readonly kind: UnitKind;
  readonly bucket: Bucket;
  /** Units forced into an arm of one of the layer's running experiments; undefined where there is none. */
  readonly forced: ReadonlyMap<string, ForcedUnit> | undefined;
  /** Which running or paused experiment holds a place, by its index. */
  readonly segments: LayerSegments;
  readonly holdouts: readonly CompiledHoldout[];
}

export interface ForcedUnit {
  /** The experiment's. */
  readonly index: number;
  readonly entry: Entry;
}

/** Another experiment, and those of its arms whose units may enter. */
export interface CompiledPrerequisite {
  readonly experiment: string;
  /** Undefined where it is not served here, such as for want of its models: nobody enters then. */
  readonly index: number | undefined;
  readonly arms: readonly string[];
}

/** An experiment with everything worked out that a request would otherwise repeat. */
export interface CompiledExperiment {
  readonly experiment: Experiment;
  /** Its place in the order of ids. */
  readonly index: number;
  readonly layer: CompiledLayer;
  readonly armBucket: Bucket;
  readonly shares: readonly EntryShare[];
  readonly arms: ReadonlyMap<string, Arm>;
  readonly targeting: Targeting | undefined;
  readonly prerequisites: readonly CompiledPrerequisite[] | undefined;
}

type IndexedExperiment = Experiment & { readonly index: number };

/** Compiles experiments into the order of their ids; see `compileAssigner` for what is refused. */
export function compileExperiments(
  experiments: readonly Experiment[],
  holdouts: readonly Holdout[],
): readonly CompiledExperiment[] {
  const ordered: readonly IndexedExperiment[] = [...experiments]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((experiment, index) => ({ ...experiment, index }));
  refuseDuplicates(ordered);
  const indices = new Map(ordered.map(({ id, index }) => [id, index]));
  const kinds = new Map<Unit, UnitKind>();
  const kindOf = (unit: Unit): UnitKind => {
    const kind = kinds.get(unit) ?? unitKind(unit, kinds.size);
    kinds.set(unit, kind);
    return kind;
  };
  const compiledHoldouts = compileHoldouts(holdouts, kindOf);

  const layers = new Map<string, CompiledLayer>();
  for (const [key, mates] of Map.groupBy(ordered, layerKey)) {
    const [{ layer, unit }] = mates as [IndexedExperiment];
    const holders = mates.filter(({ status }) => status === "running" || status === "paused");
    refuseOverlap(holders);
    layers.set(key, {
      kind: kindOf(unit),
      bucket: new Bucket(`layer:${layer}`),
      forced: forcedUnits(holders),
      segments: new LayerSegments(holders),
      holdouts: compiledHoldouts.filter(({ holdout }) => covers(holdout, layer)),
    });
  }
  const compiled = ordered.map(({ index, ...experiment }): CompiledExperiment => {
    return {
      experiment,
      index,
      layer: layers.get(layerKey(experiment)) as CompiledLayer,
      armBucket: new Bucket(experiment.salt),
      shares: entryShares(experiment),
      arms: new Map(experiment.arms.map((arm) => [arm.id, arm])),
      targeting: experiment.targeting === undefined ? undefined : keptTargeting(experiment.targeting),
      prerequisites: experiment.prerequisites?.map((one) => ({
        ...one,
        index: indices.get(one.experiment),
      })),
    };
  });
  refuseCircles(compiled);
  return compiled;
}

/** Whether units can get an arm of it at all. */
export function assigns({ status, killed }: Experiment): boolean {
  return status === "running" && killed === undefined;
}

/** A layer splits one kind of unit: were there two, each would have the layer for itself. */
function layerKey({ layer, unit }: Experiment): string {
  return `${layer} ${unit}`;
}

/** Where two experiments of a layer force the same unit, the first in the order of ids has it. */
function forcedUnits(holders: readonly IndexedExperiment[]): CompiledLayer["forced"] {
  const forced = new Map<string, ForcedUnit>();
  for (const experiment of holders) {
    if (!assigns(experiment)) continue;
    const shares = armEntries(experiment);
    for (const [unit, armId] of Object.entries(experiment.overrides)) {
      const share = shares.find(({ arm }) => arm.id === armId);
      if (share !== undefined && !forced.has(unit))
        forced.set(unit, { index: experiment.index, entry: share.forced });
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

function refuseOverlap(holders: readonly Experiment[]): void {
  const starts = holders.flatMap((one) => one.ranges.map(({ from }) => ({ id: one.id, from })));
  for (const { id, from } of starts) {
    const other = holders.find((one) => one.id !== id && holds(one.ranges, from));
    if (other === undefined) continue;
    throw invalidArgument(
      `ranges: ${id} and ${other.id} both hold ${from} of layer ${other.layer} (${describeRanges(other.ranges)})`,
    );
  }
}

/** Following prerequisites must end: it is done for every request. */
function refuseCircles(compiled: readonly CompiledExperiment[]): void {
  const ended = new Set<number>();
  const follow = (index: number, way: readonly number[]): void => {
    const here = [...way, index];
    if (way.includes(index)) {
      const ids = here.map((one) => compiled[one]?.experiment.id);
      throw invalidArgument(`prerequisites: a circle, ${ids.join(" -> ")}`);
    }
    if (ended.has(index)) return;
    for (const { index: next } of compiled[index]?.prerequisites ?? []) {
      if (next !== undefined) follow(next, here);
    }
    ended.add(index);
  };
  for (const { index } of compiled) follow(index, []);
}
