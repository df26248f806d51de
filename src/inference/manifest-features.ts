import { invalidArgument } from "../domain/error.ts";
import type { FeatureEncoding, FeatureSpec } from "../domain/feature.ts";
import type { ModelInput } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";
import { checkUnique, expectEqual } from "./expectations.ts";
import type { ManifestDocument } from "./manifest-schema.ts";

type FeatureDocument = ManifestDocument["features"][number];

/** One feature by itself and with its input. @throws {SetlistError} INVALID_ARGUMENT. */
export function checkFeature(
  feature: FeatureDocument,
  field: string,
  inputs: readonly ModelInput[],
): FeatureSpec {
  const { name, entity, offset, width } = feature;
  const input = inputs.find((one) => one.name === feature.input);
  if (input === undefined) {
    const names = inputs.filter((one) => one.entity !== "row").map((one) => one.name);
    throw invalidArgument(
      `${field}.input: expected an input, got "${feature.input}"${nearest(feature.input, names)}`,
    );
  }
  expectEqual(`${field}.entity`, input.entity, entity, `that of its input ${input.name}`);
  if (offset + width > (input.columns ?? 0)) {
    throw invalidArgument(
      `${field}: expected ${name} to fit the ${input.columns ?? 0} columns of input ${input.name}, got columns ${offset} to ${offset + width - 1}`,
    );
  }
  const encoding = encodingOf(feature.encoding, `${field}.encoding`);
  const dtype = encoding.kind === "number" ? "float32" : "int32";
  if (input.dtype !== dtype) {
    throw invalidArgument(
      `${field}.encoding.kind: ${encoding.kind} needs an input of dtype ${dtype}, but ${input.name} has ${input.dtype}`,
    );
  }
  if (name === "id" && entity !== "context" && encoding.kind === "number") {
    throw invalidArgument(`${field}.encoding.kind: expected hash or vocabulary for an id, got number`);
  }
  return {
    name,
    entity,
    input: input.name,
    offset,
    width,
    encoding,
    default: defaultOf(feature, encoding, field),
  };
}

function encodingOf(encoding: FeatureDocument["encoding"], field: string): FeatureEncoding {
  const { kind, buckets, values } = encoding;
  if (buckets !== undefined && kind !== "hash") {
    throw invalidArgument(`${field}.buckets: expected only with kind hash, got kind ${kind}`);
  }
  if (values !== undefined && kind !== "vocabulary") {
    throw invalidArgument(`${field}.values: expected only with kind vocabulary, got kind ${kind}`);
  }
  if (kind === "number") return { kind };
  if (kind === "hash") {
    if (buckets === undefined)
      throw invalidArgument(`${field}.buckets: expected with kind hash, but missing`);
    return { kind, buckets };
  }
  if (values === undefined)
    throw invalidArgument(`${field}.values: expected with kind vocabulary, but missing`);
  checkUnique(`${field}.values`, values);
  return { kind, values };
}

function defaultOf(
  feature: FeatureDocument,
  encoding: FeatureEncoding,
  field: string,
): readonly number[] | readonly string[] {
  const { width } = feature;
  const numbers = feature.default.filter((value) => typeof value === "number");
  const strings = feature.default.filter((value) => typeof value === "string");
  if (encoding.kind === "number") {
    const beyond = numbers.find((value) => !Number.isFinite(Math.fround(value)));
    if (beyond !== undefined) {
      throw invalidArgument(`${field}.default: expected numbers that a float32 can hold, got ${beyond}`);
    }
    if (numbers.length === width && strings.length === 0) return numbers;
    throw invalidArgument(
      `${field}.default: expected ${width} numbers, the width of ${feature.name}, got ${JSON.stringify(feature.default)}`,
    );
  }
  if (strings.length > width || numbers.length > 0) {
    throw invalidArgument(
      `${field}.default: expected at most ${width} strings, the width of ${feature.name}, got ${JSON.stringify(feature.default)}`,
    );
  }
  if (encoding.kind === "vocabulary") {
    const stranger = strings.find((value) => !encoding.values.includes(value));
    if (stranger !== undefined) {
      throw invalidArgument(
        `${field}.default: expected values of the vocabulary, got "${stranger}"${nearest(stranger, encoding.values)}`,
      );
    }
  }
  return strings;
}

/** Every column of an input is filled by exactly one feature. @throws {SetlistError} INVALID_ARGUMENT. */
export function checkColumns(input: ModelInput, columns: number, features: readonly FeatureSpec[]): void {
  const filledBy: (string | undefined)[] = new Array(columns).fill(undefined);
  for (const feature of features) {
    if (feature.input !== input.name) continue;
    for (let column = feature.offset; column < feature.offset + feature.width; column++) {
      const other = filledBy[column];
      if (other !== undefined) {
        throw invalidArgument(
          `features: expected one feature for column ${column} of input ${input.name}, got ${other} and ${feature.name}`,
        );
      }
      filledBy[column] = feature.name;
    }
  }
  const empty = filledBy.indexOf(undefined);
  if (empty >= 0) {
    throw invalidArgument(
      `features: expected a feature for column ${empty} of input ${input.name}, got none`,
    );
  }
}
