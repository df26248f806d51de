/** An arm that a unit got. Once acted on and logged it is an exposure. */
export interface Assignment {
  readonly experiment: string;
  readonly arm: string;
  readonly layer: string;
  readonly phase: number;
  /** The unit's id. */
  readonly unit: string;
  /** The probability with which a unit of the experiment gets this arm: its share of the weights. */
  readonly propensity: number;
  /** Forced by an override: served like any other, never part of the analysis. */
  readonly overridden: boolean;
}

/** The arm that a unit of a sticky experiment was shown first, with the phase and the propensity it had then. */
export type KeptArm = Pick<Assignment, "arm" | "phase" | "propensity">;

/** The first gate that keeps a unit out. */
export type ClosedGate =
  | "surface"
  | "status"
  | "killed"
  | "unit-missing"
  | "unit-invalid"
  | "layer-range"
  | "traffic"
  | "holdout"
  | "prerequisite"
  | "targeting"
  | "targeting-attribute-missing";

/** Why a unit is in an arm, or the first gate that kept it out. */
export type DecisionReason = "assigned" | "sticky" | "override" | ClosedGate;

/** A unit's place in one holdout of the experiment's layer. */
export interface HoldoutPlace {
  readonly holdout: string;
  /** In [0, 1); the unit is held out where it lies below the holdout's share. Undefined where the holdout's unit is missing. */
  readonly bucket: number | undefined;
}

/** What one experiment decided for one unit, in or out. */
export interface Decision {
  readonly experiment: string;
  readonly layer: string;
  readonly reason: DecisionReason;
  /** One sentence for people. */
  readonly detail: string;
  /** Undefined where the unit stays out. */
  readonly arm: string | undefined;
  /** The id that was hashed: the user's, or that of the unit the experiment asks for; undefined where it is missing. */
  readonly unit: string | undefined;
  /** The unit's place in the layer, in [0, 1); undefined where the unit is. */
  readonly layerBucket: number | undefined;
  /** The unit's place among the arms, in [0, 1); undefined where the unit is. */
  readonly armBucket: number | undefined;
  /** One for each holdout of the layer; undefined where there is none. */
  readonly holdouts: readonly HoldoutPlace[] | undefined;
}

/** What one unit gets, over every surface, and why not where it gets nothing. */
export interface UnitAssignments {
  readonly unit: string;
  readonly assignments: readonly Assignment[];
  readonly decisions: readonly Decision[];
}
