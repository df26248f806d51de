import type { AppliedValueModel, ScoreExplanation } from "./explanation.ts";
import type { ModelVersion } from "./model.ts";

/** One of the two arms whose lists were drafted into one, and the model that made its list. */
export interface InterleavedArm {
  readonly arm: string;
  readonly model: ModelVersion;
}

/** Where an item of a drafted list comes from. */
export interface Slot {
  /** The arm that picked it; undefined where nobody did, since no model had scored it. */
  readonly team: string | undefined;
  /** Whether the arms would have picked different items: only such a slot says anything of which arm is better. */
  readonly competitive: boolean;
}

/** How one answer was drafted of two arms' lists. */
export interface Interleaving {
  /** Decides, with the unit, who picks first in each round: the request's `interleaveId`, else its `requestId`. */
  readonly id: string;
  /** In the order of the experiment's document. */
  readonly arms: readonly [InterleavedArm, InterleavedArm];
  /** One an item, in their order. */
  readonly slots: readonly Slot[];
}

/** A drafted answer explained: with what orders each arm's list, and how each item came by the score that it has there. */
export interface InterleavingExplanation extends Interleaving {
  readonly arms: readonly [InterleavedArm & AppliedValueModel, InterleavedArm & AppliedValueModel];
  /** One an item, in their order; undefined for what nobody picked. */
  readonly items: readonly (ScoreExplanation | undefined)[];
}
