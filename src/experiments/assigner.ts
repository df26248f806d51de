import type { Assignment, Decision, KeptArm } from "../domain/assignment.ts";
import type { Arm, Experiment, Holdout } from "../domain/experiment.ts";
import { Asking } from "./asking.ts";
import {
  assigns,
  type CompiledExperiment,
  type CompiledLayer,
  compileExperiments,
} from "./compiled-experiment.ts";
import { type Decided, decide } from "./decision.ts";
import { assignmentOf } from "./entry.ts";
import { type House, rulingWithin } from "./gates.ts";
import { LayerSegments } from "./layer-segments.ts";
import type { RequestFacts } from "./request-facts.ts";

/**
 * Decides who gets what. A set of experiments is compiled once; asking it is in memory and never throws. It is pure,
 * so that every server, command and replay answers alike, but for experiments that are sticky: those also go by what
 * was shown.
 */
export interface Assigner {
  /**
   * The arms of the surface's running experiments that a request gets, in the order of the experiments' ids, at most
   * one a layer. Acting on one and logging it makes it an exposure.
   */
  assign(surface: string, userId: string, facts: RequestFacts): readonly Assignment[];
  /**
   * What every experiment decided and why, in the order of their ids, all bucket positions included; agrees with
   * `assign`. Without a surface, every surface's experiments are asked.
   */
  explain(surface: string | undefined, userId: string, facts: RequestFacts): readonly Decision[];
  /** One experiment alone, as `explain` without a surface; undefined where there is none of that id. */
  decide(experiment: string, userId: string, facts: RequestFacts): Decided | undefined;
  /** Every experiment as `decide`, in the order of their ids. */
  decideAll(userId: string, facts: RequestFacts): readonly Decided[];
  /** What was compiled: every experiment, running or not, in the order of their ids. */
  readonly experiments: readonly Experiment[];
  /** The arm that one of this assigner's assignments names, with its model; of an interleaving none. */
  armOf(assignment: Assignment): Arm;
  /** The experiment that one of this assigner's assignments is of. */
  experimentOf(assignment: Assignment): Experiment;
  /** Whether the arm has to be kept for the unit once it is shown. */
  isToBeKept(assignment: Assignment): boolean;
}

export interface AssignerOptions {
  readonly holdouts?: readonly Holdout[] | undefined;
  /** What sticky experiments go by: must be quick and must not throw. Without it nothing is sticky. */
  readonly keptArm?: ((experiment: string, unit: string) => KeptArm | undefined) | undefined;
}

/**
 * @throws {SetlistError} INVALID_ARGUMENT where a targeting expression cannot be compiled, an id stands twice, two
 *   experiments hold the same part of a layer, or prerequisites go in a circle: whatever was
 *   validated and comes from `revise` has none of these.
 */
export function compileAssigner(
  experiments: readonly Experiment[],
  { holdouts = [], keptArm = keepsNothing }: AssignerOptions = {},
): Assigner {
  const compiled = compileExperiments(experiments, holdouts);
  const house: House = { compiled, keptArm };
  const partsOf = surfaceParts(compiled);
  const byId = new Map(compiled.map((one) => [one.experiment.id, one]));

  return {
    assign(surface, userId, facts) {
      const parts = partsOf.get(surface);
      if (parts === undefined) return [];
      const asking = new Asking(userId, facts);
      const result: Assignment[] = [];
      let last = -1;
      let isOrdered = true;
      for (const { layer, segments } of parts) {
        const unit = asking.unit(layer.kind);
        if (unit === undefined) continue;
        const forced = layer.forced?.get(unit.id);
        const index = forced?.index ?? segments.sole ?? segments.ownerOf(layer.bucket.placeOf(unit));
        if (index === undefined) continue;
        const one = compiled[index] as CompiledExperiment;
        if (forced !== undefined && one.experiment.surface !== surface) continue;
        const ruling = forced?.entry ?? rulingWithin(one, unit, asking, house);
        if (typeof ruling === "string") continue;
        result.push(assignmentOf(ruling, unit.id));
        if (index < last) isOrdered = false;
        last = index;
      }
      return isOrdered ? result : result.sort((a, b) => (a.experiment < b.experiment ? -1 : 1));
    },

    explain(surface, userId, facts) {
      const asking = new Asking(userId, facts);
      return compiled.map((one) => decide(one, surface, asking, house).decision);
    },

    decide(experiment, userId, facts) {
      const one = byId.get(experiment);
      return one && decide(one, undefined, new Asking(userId, facts), house);
    },

    decideAll(userId, facts) {
      const asking = new Asking(userId, facts);
      return compiled.map((one) => decide(one, undefined, asking, house));
    },

    experiments: compiled.map(({ experiment }) => experiment),

    armOf({ experiment, arm }) {
      const found = byId.get(experiment)?.arms.get(arm);
      if (found === undefined)
        throw new Error(`no arm ${arm} of ${experiment}: another assigner's assignment`);
      return found;
    },

    experimentOf({ experiment }) {
      const found = byId.get(experiment)?.experiment;
      if (found === undefined) throw new Error(`no experiment ${experiment}: another assigner's assignment`);
      return found;
    },

    isToBeKept: ({ experiment, overridden }) =>
      !overridden && byId.get(experiment)?.experiment.sticky === true,
  };
}

/** What the running experiments of one surface hold of one layer. */
interface LayerPart {
  readonly layer: CompiledLayer;
  readonly segments: LayerSegments;
}

/** By surface, in the order of each layer's first experiment. */
function surfaceParts(compiled: readonly CompiledExperiment[]): ReadonlyMap<string, readonly LayerPart[]> {
  const running = compiled.filter(({ experiment }) => assigns(experiment));
  const bySurface = Map.groupBy(running, ({ experiment }) => experiment.surface);
  return new Map(
    [...bySurface].map(([surface, ones]) => [
      surface,
      [...Map.groupBy(ones, ({ layer }) => layer)].map(([layer, mates]) => ({
        layer,
        segments: new LayerSegments(
          mates.map(({ experiment, index }) => ({ ranges: experiment.ranges, index })),
        ),
      })),
    ]),
  );
}

function keepsNothing(): undefined {
  return undefined;
}
