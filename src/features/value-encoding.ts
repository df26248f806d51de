import type { FeatureSpec, FeatureValue } from "../domain/feature.ts";
import type { Tensor } from "../domain/feature-store.ts";
import { murmur3 } from "../domain/murmur3.ts";

/**
 * Writes one value of a feature into `target` from `at`, all `width` columns of it. Returns false, with the columns in
 * no particular state, where the value does not fit the feature.
 */
export type ValueWriter = (value: FeatureValue, target: Tensor, at: number) => boolean;

/** The encoding of a feature as docs/model-manifest.md defines it, worked out once a model. */
export function writerOf({ encoding, width }: FeatureSpec): ValueWriter {
  switch (encoding.kind) {
    case "number":
      return (value, target, at) => writeNumbers(value, target, at, width);
    case "hash": {
      const { buckets } = encoding;
      return (value, target, at) =>
        writeIndices(value, target, at, width, (text) => 1 + (murmur3(text) % buckets));
    }
    case "vocabulary": {
      const places = new Map(encoding.values.map((value, place) => [value, place + 1]));
      return (value, target, at) => writeIndices(value, target, at, width, (text) => places.get(text) ?? 0);
    }
  }
}

/** What a feature takes, for messages. */
export function expectationOf({ encoding, width }: FeatureSpec): string {
  if (encoding.kind !== "number") return "a string or an array of strings";
  return width === 1 ? "a finite number" : `an array of ${width} finite numbers`;
}

function writeNumbers(value: FeatureValue, target: Tensor, at: number, width: number): boolean {
  if (typeof value === "number") {
    target[at] = value;
    return width === 1 && isFiniteFloat(value);
  }
  if (!Array.isArray(value) || value.length !== width) return false;
  for (let column = 0; column < width; column++) {
    const number: unknown = value[column];
    if (typeof number !== "number" || !isFiniteFloat(number)) return false;
    target[at + column] = number;
  }
  return true;
}

/** A double past the range of float32 would become an infinity in the tensor. */
function isFiniteFloat(value: number): boolean {
  return Number.isFinite(Math.fround(value));
}

/** The first `width` values, padded with 0, which means missing. */
function writeIndices(
  value: FeatureValue,
  target: Tensor,
  at: number,
  width: number,
  indexOf: (text: string) => number,
): boolean {
  if (typeof value === "string") {
    target[at] = indexOf(value);
    target.fill(0, at + 1, at + width);
    return true;
  }
  if (!Array.isArray(value)) return false;
  const count = Math.min(value.length, width);
  for (let column = 0; column < count; column++) {
    const text: unknown = value[column];
    if (typeof text !== "string") return false;
    target[at + column] = indexOf(text);
  }
  target.fill(0, at + count, at + width);
  // What is cut off is still a value that a caller sent: a number there is as wrong as anywhere.
  return value.length <= width || value.slice(width).every((text: unknown) => typeof text === "string");
}
