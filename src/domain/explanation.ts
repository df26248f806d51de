import type { ValueModel } from "./model.ts";

/** Who said it: the arm goes before the surface, the surface before the model's manifest. */
export type ValueModelOrigin = "arm" | "surface" | "model";

/** The value model that made an order, and where each half of it stands written. */
export interface AppliedValueModel {
  readonly valueModel: ValueModel;
  readonly origin: { readonly fusion: ValueModelOrigin; readonly diversity: ValueModelOrigin };
}

/** How one item came by its score: the parts make `fused`, the steps make the score of it. */
export interface ScoreExplanation {
  /** By task, those that weigh anything: what it adds to a weighted sum, or multiplies a weighted product by. */
  readonly parts: Readonly<Record<string, number>>;
  readonly fused: number;
  readonly steps: readonly RerankStep[];
}

/** What one step of the value model's `diversity` did to an item. */
export interface RerankStep {
  readonly step: "diversity";
  readonly by: string;
  /** The item's value of that feature; undefined where nobody knows one. */
  readonly key: string | undefined;
  /** How many better items have the same. */
  readonly repeats: number;
  /** What the score before the step was multiplied by: below 1, or above 1 for a score below 0. */
  readonly factor: number;
  /** After the step. */
  readonly score: number;
}

/** Why the items of an answer stand where they do. */
export interface RankingExplanation extends AppliedValueModel {
  /** One an item, in their order. */
  readonly items: readonly ScoreExplanation[];
}
