import { invalidArgument } from "../domain/error.ts";
import type { Model, ModelInput } from "../domain/model.ts";
import { checkValueModel, checkWeighedTasks } from "../schema/value-model.ts";
import { checkUnique, expectEqual, expectShape } from "./expectations.ts";
import { checkColumns, checkFeature } from "./manifest-features.ts";
import { columnsMax, type ManifestDocument } from "./manifest-schema.ts";
import { splitNames } from "./split.ts";

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
  checkValueModel(document.valueModel, "valueModel");
  checkWeighedTasks(document.valueModel, "valueModel", document.tasks);
  checkSplit(document, inputs);
  const { name, version, role = "student", surface, description, tasks, valueModel, provenance } = document;
  return { name, version, role, surface, description, tasks, inputs, features, valueModel, provenance };
}

/** A split is only believed where an example can show that its graphs compute what the reference does. */
function checkSplit({ split, golden }: ManifestDocument, inputs: readonly ModelInput[]): void {
  if (split === undefined) return;
  if (golden === undefined) {
    throw invalidArgument("golden: expected, since the manifest has split, but missing");
  }
  if (!inputs.some((input) => input.entity === "row")) {
    throw invalidArgument("split: expected a model with an input of entity row, got a model of items alone");
  }
  for (const name of [splitNames.itemRow, splitNames.itemRows]) {
    if (inputs.some((input) => input.name === name)) {
      throw invalidArgument(
        `inputs: expected no input "${name}", a name of the request graph's own, got one`,
      );
    }
  }
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
    if (columns > columnsMax) {
      throw invalidArgument(`${field}.shape: expected at most ${columnsMax} columns, got ${columns}`);
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
