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

/** Why a unit is in an arm, or the first gate that kept it out. */
export type DecisionReason =
  | "assigned"
  | "override"
  | "surface"
  | "status"
  | "killed"
  | "layer-range"
  | "targeting"
  | "targeting-attribute-missing";

/** What one experiment decided for one unit, in or out. */
export interface Decision {
  readonly experiment: string;
  readonly layer: string;
  readonly reason: DecisionReason;
  /** One sentence for people. */
  readonly detail: string;
  /** Undefined where the unit stays out. */
  readonly arm: string | undefined;
  /** The unit's place in the layer, in [0, 1). */
  readonly layerBucket: number;
  /** The unit's place among the arms, in [0, 1). */
  readonly armBucket: number;
}
