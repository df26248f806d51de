import type { FeatureSpec } from "./feature.ts";

/** Names a model; without a version it means the highest one that is loaded. */
export interface ModelRef {
  readonly name: string;
  readonly version?: string | undefined;
}

/** A model and the version that answered. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
}

/** One input tensor. `columns` is undefined for the `row` input, `int32 [candidates]`. */
export interface ModelInput {
  readonly name: string;
  readonly dtype: "float32" | "int32";
  readonly entity: "user" | "item" | "context" | "row";
  readonly columns: number | undefined;
}

/** Fuses the tasks' probabilities into the one score that orders the candidates; weights may be negative. */
export interface ValueModel {
  readonly kind: "weighted-sum" | "weighted-product";
  readonly weights: Readonly<Record<string, number>>;
}

/** A student answers requests; a teacher only labels logged ones for students to learn from. */
export type ModelRole = "student" | "teacher";

/** A loaded, checked and warmed model. `tasks` are the columns of its output, `float32 [candidates, tasks]`. */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly role: ModelRole;
  readonly surface: string;
  readonly description: string;
  readonly tasks: readonly string[];
  readonly inputs: readonly ModelInput[];
  readonly features: readonly FeatureSpec[];
  readonly valueModel: ValueModel;
  /** What the recipe says about itself; repeated, never read. */
  readonly provenance: unknown;
}
