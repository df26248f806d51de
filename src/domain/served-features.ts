import type { FeatureEncoding, FeatureEntity, FeatureSpec } from "./feature.ts";
import type { ModelVersion } from "./model.ts";
import { murmur3 } from "./murmur3.ts";

/** One feature as it stood in a model's input tensor: what the model saw, after request, store and default. */
export interface ServedFeature {
  readonly name: string;
  readonly entity: FeatureEntity;
  /** The tensor; one name may fill several. */
  readonly input: string;
  /** As `encodingName` says it: features of one name, encoding and width mean the same by the same values. */
  readonly encoding: string;
  readonly width: number;
  /** Of a user or a context `[width]`, of items `[rows, width]`, row-major. */
  readonly values: Float32Array | Int32Array;
}

/** What one model saw of one request. */
export interface ServedFeatures {
  readonly model: ModelVersion;
  /** How many items it scored: the first so many of those shown, and behind them of those beyond the limit. */
  readonly rows: number;
  /** In the order of the manifest. */
  readonly features: readonly ServedFeature[];
}

/** `number`, `hash:16384` (buckets), or `vocabulary:12:9f8a01c3` (how many values, and their hash). */
export function encodingName(encoding: FeatureEncoding): string {
  switch (encoding.kind) {
    case "number":
      return "number";
    case "hash":
      return `hash:${encoding.buckets}`;
    case "vocabulary": {
      const hash = murmur3(JSON.stringify(encoding.values)).toString(16).padStart(8, "0");
      return `vocabulary:${encoding.values.length}:${hash}`;
    }
  }
}

/** The served feature that says what `spec` asks for; undefined where the model that served read no such thing. */
export function servedAs(spec: FeatureSpec, { features }: ServedFeatures): ServedFeature | undefined {
  const named = features.filter(({ name, entity }) => name === spec.name && entity === spec.entity);
  if (named.length === 0) return undefined;
  const encoding = encodingName(spec.encoding);
  return named.find((one) => one.encoding === encoding && one.width === spec.width);
}
