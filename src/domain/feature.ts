/** What a request, a store or a default may say about one feature: numbers, or names to be hashed or looked up. */
export type FeatureValue = number | string | readonly number[] | readonly string[];
export type Features = Readonly<Record<string, FeatureValue>>;

/** Facts about a user or a context that targeting and people read; no model does. */
export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What an attribute is declared to be; a number is a double. */
export const attributeTypes = ["string", "number", "bool"] as const;
export type AttributeType = (typeof attributeTypes)[number];

/** Every attribute that targeting and units may go by, where the configuration declares them. */
export interface DeclaredAttributes {
  readonly user: Readonly<Record<string, AttributeType>>;
  readonly context: Readonly<Record<string, AttributeType>>;
}

export type FeatureEntity = "user" | "item" | "context";

/** How a value becomes columns of a tensor; docs/model-manifest.md has the rules. */
export type FeatureEncoding =
  | { readonly kind: "number" }
  | { readonly kind: "hash"; readonly buckets: number }
  | { readonly kind: "vocabulary"; readonly values: readonly string[] };

/** One feature of a model: it fills `width` columns of `input`, from column `offset`. */
export interface FeatureSpec {
  readonly name: string;
  readonly entity: FeatureEntity;
  readonly input: string;
  readonly offset: number;
  readonly width: number;
  readonly encoding: FeatureEncoding;
  readonly default: readonly number[] | readonly string[];
}
