import type { ModelRef, ValueModelOverride } from "./model.ts";

export type ExperimentStatus = "draft" | "running" | "paused" | "stopped";

export interface Arm {
  readonly id: string;
  readonly control: boolean;
  /** Share of [0, 1) relative to the other arms' weights. */
  readonly weight: number;
  readonly model: ModelRef;
  /** Goes before the surface's value model, and that before the model's own. */
  readonly valueModel?: ValueModelOverride | undefined;
}

/** What is measured per unit: outcomes of one type, folded by `aggregate`. */
export interface Metric {
  readonly id: string;
  readonly type: "mean" | "proportion";
  readonly outcome: string;
  /** `count` and `sum` of values per unit; `any` is 1 for a unit with at least one (a proportion). */
  readonly aggregate: "count" | "sum" | "any";
  readonly goal: "increase" | "decrease";
  readonly role: "primary" | "secondary" | "guardrail";
}

/** Part of a layer: [from, to) within [0, 1). */
export interface TrafficRange {
  readonly from: number;
  readonly to: number;
}

/** What a person writes. */
export interface ExperimentDocument {
  readonly id: string;
  readonly description: string;
  readonly surface: string;
  readonly layer: string;
  /** What is randomised. */
  readonly unit: "user";
  readonly salt: string;
  /** Share of the layer, in [0, 1]. */
  readonly traffic: number;
  readonly status: ExperimentStatus;
  /** In the order in which they take [0, 1). Exactly one is the control. */
  readonly arms: readonly Arm[];
  /** A CEL expression over `user.*` and `context.*` attributes; undefined targets every unit. */
  readonly targeting?: string | undefined;
  /** Unit id to arm id: forced, never analysed. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly metrics: readonly Metric[];
}

/** A document as the store keeps it. */
export interface Experiment extends ExperimentDocument {
  /** Rises by one with every write. */
  readonly revision: number;
  /** Rises when the arms, the weights, the salt or the targeting change while it runs; the analysis never mixes phases. */
  readonly phase: number;
  /** Its part of the layer: growing adds ranges and keeps those it had. */
  readonly ranges: readonly TrafficRange[];
  /** Why it was killed; undefined where it was not. A killed experiment assigns nobody, whatever its status. */
  readonly killed?: string | undefined;
  /** The arm that a stopped experiment was stopped for. */
  readonly winner?: string | undefined;
}
