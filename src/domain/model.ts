import type { FeatureSpec } from "./feature.ts";

/**
 * Names a model by a version, or by a label that stands on one and may be moved; without either it means the highest
 * version that is loaded. Never both.
 */
export interface ModelRef {
  readonly name: string;
  readonly version?: string | undefined;
  readonly label?: string | undefined;
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

/**
 * Fuses the tasks' probabilities into one score: a `weighted-sum` is `Σ weight × p ^ power`, a power being 1 where none
 * is named; a `weighted-product` is `Π p ^ weight` and names no powers. Weights may be negative, powers are above 0.
 * Tasks without a weight weigh nothing.
 */
export interface TaskFusion {
  readonly kind: "weighted-sum" | "weighted-product";
  readonly weights: Readonly<Record<string, number>>;
  readonly powers?: Readonly<Record<string, number>> | undefined;
}

/**
 * Makes room for others: of the items that share a value of the item feature `by`, the best keeps its score, the one
 * after k better ones keeps `floor + (1 - floor) × decay ^ k` of it. Both are in [0, 1]; the floor is 0 where absent.
 */
export interface DiversityStep {
  readonly by: string;
  readonly decay: number;
  readonly floor?: number | undefined;
}

/** What makes the order: the fused score, then each step over the scores that the one before it left. */
export interface ValueModel extends TaskFusion {
  readonly diversity?: readonly DiversityStep[] | undefined;
}

/**
 * What a surface or an arm says in place of the model's value model: the fusion (`kind` and `weights` together, perhaps
 * `powers`), the diversity (none where it is an empty list), or both. The half that it leaves out is not its concern.
 */
export type ValueModelOverride = Partial<ValueModel>;

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
