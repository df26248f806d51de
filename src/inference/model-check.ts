import { invalidArgument } from "../domain/error.ts";
import type { Model } from "../domain/model.ts";
import type { StoredModel } from "./repository.ts";
import type { TensorFacts } from "./worker-messages.ts";

/** What a session says of itself, once its file was loaded. */
export interface SessionFacts {
  readonly inputs: readonly TensorFacts[];
  readonly outputs: readonly TensorFacts[];
}

/**
 * The file's real inputs and outputs are those of its manifest: names, dtypes, ranks, columns, dynamic rows.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export function checkSession({ manifest, path }: StoredModel, facts: SessionFacts): void {
  const { model, outputName } = manifest;
  const inputs = model.inputs.map((input) => expectedOf(model, input.name));
  const output = { name: outputName, dtype: "float32", shape: ["candidates", model.tasks.length] };
  checkTensors(path, "input", inputs, facts.inputs);
  checkTensors(path, "output", [output], facts.outputs);
}

/** The tensors found are those expected, by name, whatever their order; `path` names the file in messages. */
export function checkTensors(
  path: string,
  what: "input" | "output",
  expected: readonly TensorFacts[],
  found: readonly TensorFacts[],
): void {
  const names = expected.map((tensor) => tensor.name);
  checkNames(path, what, names, found);
  for (const one of expected) {
    const real = found.find((tensor) => tensor.name === one.name);
    if (real !== undefined) checkTensor(path, what, one, real);
  }
}

/** Both ways: what the file wants the manifest describes, what the manifest describes the file has. */
function checkNames(
  path: string,
  what: "input" | "output",
  described: readonly string[],
  found: readonly TensorFacts[],
): void {
  const real = found.map((tensor) => tensor.name);
  const undescribed = real.find((name) => !described.includes(name));
  if (undescribed !== undefined) {
    throw invalidArgument(
      `${path}: expected the ${what}s that its manifest describes (${described.join(", ")}), found ${what} "${undescribed}" as well`,
    );
  }
  const missing = described.find((name) => !real.includes(name));
  if (missing !== undefined) {
    throw invalidArgument(
      `${path}: expected ${what} "${missing}", which its manifest describes, found only ${real.join(", ")}`,
    );
  }
}

function expectedOf(model: Model, name: string): TensorFacts {
  const input = model.inputs.find((one) => one.name === name);
  const rows = input?.entity === "item" || input?.entity === "row" ? "candidates" : "requests";
  const shape = input?.columns === undefined ? [rows] : [rows, input.columns];
  return { name, dtype: input?.dtype, shape };
}

function checkTensor(path: string, what: string, expected: TensorFacts, found: TensorFacts): void {
  const [rows, columns] = found.shape;
  // A dynamic dimension may have any name, and columns that the file leaves open are shown by the first run.
  const fits =
    found.dtype === expected.dtype &&
    found.shape.length === expected.shape.length &&
    typeof rows === "string" &&
    (typeof columns !== "number" || columns === expected.shape[1]);
  if (fits) return;
  throw invalidArgument(
    `${path}: expected ${what} ${expected.name} to be ${show(expected)}, as its manifest says, found ${show(found)}`,
  );
}

function show(tensor: TensorFacts): string {
  return tensor.dtype === undefined ? "no tensor" : `${tensor.dtype} ${JSON.stringify(tensor.shape)}`;
}
