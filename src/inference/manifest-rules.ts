import { invalidArgument } from "../domain/error.ts";
import type { FeatureEncoding, FeatureSpec } from "../domain/feature.ts";
import type { Model, ModelInput } from "../domain/model.ts";
import { nearest } from "../schema/schema.ts";
import type { ManifestDocument } from "./manifest.ts";

/**
 * How the fields of a manifest have to fit together, and the model that they then describe.
 * @throws {SetlistError} INVALID_ARGUMENT: field, expected and found.
 */
export function checkManifest(
  document: ManifestDocument,
  folder: { readonly name: string; readonly version: string },
): Model {
  expectEqual("name", folder.name, document.name, "the model's folder");
  expectEqual("version", folder.version, document.version, "the version's folder");
  checkUnique("tasks", document.tasks);
  expectShape("output.shape", ["candidates", document.tasks.length], document.output.shape);
  const inputs = checkInputs(document);
  const features = document.features.map((feature, index) =>
    checkFeature(feature, `features[${index}]`, inputs),
  );
  for (const input of inputs) if (input.columns !== undefined) checkColumns(input, input.columns, features);
  for (const task of Object.keys(document.valueModel.weights)) {
    if (document.tasks.includes(task)) continue;
    throw invalidArgument(`valueModel.weights.${task}: expected a task${nearest(task, document.tasks)}`);
  }
  const { name, version, surface, description, tasks, valueModel, provenance } = document;
  return { name, version, surface, description, tasks, inputs, features, valueModel, provenance };
}

function checkInputs(document: ManifestDocument): readonly ModelInput[] {
  checkUnique(
    "inputs",
    document.inputs.map((input) => input.name),
  );
  const inputs = document.inputs.map((input, index): ModelInput => {
    const { name, dtype, entity } = input;
    const field = `inputs[${index}]`;
    if (entity === "row") {
      expectEqual(`${field}.dtype`, "int32", dtype, `input ${name} of entity row`);
      expectShape(`${field}.shape`, ["candidates"], input.shape);
      return { name, dtype, entity, columns: undefined };
    }
    const columns = input.shape[1];
    const rows = entity === "item" ? "candidates" : "requests";
    if (input.shape.length !== 2 || input.shape[0] !== rows || typeof columns !== "number" || columns < 1) {
      throw invalidArgument(
        `${field}.shape: expected ["${rows}", a number of columns] for input ${name} of entity ${entity}, got ${JSON.stringify(input.shape)}`,
      );
    }
    return { name, dtype, entity, columns };
  });
  const rows = inputs.filter((input) => input.entity === "row");
  if (rows.length > 1) throw invalidArgument(`inputs: expected one input of entity row, got ${rows.length}`);
  const perRequest = inputs.find((input) => input.entity === "user" || input.entity === "context");
  if (rows.length === 0 && perRequest !== undefined) {
    throw invalidArgument(
      `inputs: expected an input of entity row, which joins each candidate to its row of ${perRequest.name}, got none`,
    );
  }
  if (!inputs.some((input) => input.entity === "item")) {
    throw invalidArgument("inputs: expected at least one input of entity item, got none");
  }
  return inputs;
}

function checkFeature(
  feature: ManifestDocument["features"][number],
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

function encodingOf(
  encoding: ManifestDocument["features"][number]["encoding"],
  field: string,
): FeatureEncoding {
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
  feature: ManifestDocument["features"][number],
  encoding: FeatureEncoding,
  field: string,
): readonly number[] | readonly string[] {
  const { width } = feature;
  const numbers = feature.default.filter((value) => typeof value === "number");
  const strings = feature.default.filter((value) => typeof value === "string");
  if (encoding.kind === "number") {
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

/** Every column of an input is filled by exactly one feature. */
function checkColumns(input: ModelInput, columns: number, features: readonly FeatureSpec[]): void {
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

function checkUnique(field: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidArgument(`${field}: expected each name once, got "${twice}" twice`);
}

function expectEqual(field: string, expected: string, found: string, why: string): void {
  if (found !== expected) throw invalidArgument(`${field}: expected "${expected}", ${why}, got "${found}"`);
}

function expectShape(field: string, expected: readonly (string | number)[], found: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw invalidArgument(`${field}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}`);
}
