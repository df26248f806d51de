import type { Assignment, Decision } from "../domain/assignment.ts";
import type { Arm, Experiment } from "../domain/experiment.ts";
import { utf8 } from "../domain/murmur3.ts";
import { type ArmShare, shareAt } from "./arm-shares.ts";
import {
  assigns,
  type CompiledExperiment,
  type CompiledLayer,
  compileExperiments,
} from "./compiled-experiment.ts";
import { decide } from "./decision.ts";
import { type TargetingAttributes, type TargetingInput, targetingInput } from "./targeting.ts";
import { holds } from "./traffic.ts";

/**
 * Decides who gets what. A set of experiments is compiled once; asking it is pure, in memory and never throws, so that
 * every server, command and replay answers alike.
 */
export interface Assigner {
  /**
   * The arms of the surface's running experiments that a unit gets, in the order of the experiments' ids, at most one
   * a layer. Acting on one and logging it makes it an exposure.
   */
  assign(surface: string, unitId: string, attributes: TargetingAttributes): readonly Assignment[];
  /**
   * What every experiment decided and why, in the order of their ids, both bucket positions included; agrees with
   * `assign`. Without a surface, every surface's experiments are asked.
   */
  explain(surface: string | undefined, unitId: string, attributes: TargetingAttributes): readonly Decision[];
  /** The arm that one of this assigner's assignments names, with its model. */
  armOf(assignment: Assignment): Arm;
}

/**
 * @throws {SetlistError} INVALID_ARGUMENT where a targeting expression cannot be compiled, an id stands twice, or two
 *   running experiments hold the same part of a layer: whatever comes from `revise` has none of these.
 */
export function compileAssigner(experiments: readonly Experiment[]): Assigner {
  const compiled = compileExperiments(experiments);
  const running = Map.groupBy(
    compiled.filter(({ experiment }) => assigns(experiment)),
    ({ experiment }) => experiment.surface,
  );
  const byId = new Map(compiled.map((one) => [one.experiment.id, one]));

  return {
    assign(surface, unitId, attributes) {
      const candidates = running.get(surface);
      if (candidates === undefined) return [];
      const unit = utf8(unitId);
      const result: Assignment[] = [];
      let input: TargetingInput | undefined;
      let layer: CompiledLayer | undefined;
      let layerBucket = 0;
      for (const one of candidates) {
        const forced = one.layer.forced?.get(unitId);
        if (forced !== undefined) {
          // A unit forced into one experiment of a layer is in no other of that layer.
          if (forced.experiment === one.experiment.id)
            result.push(assignment(one, forced.share, unitId, true));
          continue;
        }
        // Neighbours often share their layer: its bucket is worked out once.
        if (one.layer !== layer) {
          layer = one.layer;
          layerBucket = layer.bucket(unit);
        }
        if (!holds(one.experiment.ranges, layerBucket)) continue;
        if (one.targeting !== undefined) {
          input ??= targetingInput(attributes);
          if (!one.targeting.admits(input)) continue;
        }
        result.push(assignment(one, shareAt(one.shares, one.armBucket(unit)), unitId, false));
      }
      return result;
    },

    explain(surface, unitId, attributes) {
      const unit = utf8(unitId);
      const input = targetingInput(attributes);
      return compiled.map((one) => decide(one, { surface, unitId, unit, input }));
    },

    armOf({ experiment, arm }) {
      const found = byId.get(experiment)?.arms.get(arm);
      if (found === undefined)
        throw new Error(`no arm ${arm} of ${experiment}: another assigner's assignment`);
      return found;
    },
  };
}

function assignment(one: CompiledExperiment, share: ArmShare, unit: string, overridden: boolean): Assignment {
  const { id, layer, phase } = one.experiment;
  const { arm, propensity } = share;
  return { experiment: id, arm: arm.id, layer, phase, unit, propensity, overridden };
}
