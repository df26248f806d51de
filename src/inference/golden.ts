import Type from "typebox";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Tensor } from "../domain/feature-store.ts";
import { nearest, parserOf } from "../schema/schema.ts";
import type { Manifest } from "./manifest.ts";
import { inputElements } from "./ragged-batch.ts";

/** An example with its answer, as the recipe computed it: run at load, so that a wrong model never serves. */
export interface Golden {
  readonly path: string;
  readonly requests: number;
  readonly candidates: number;
  /** In the order of `model.inputs`. */
  readonly tensors: readonly Tensor[];
  /** `[candidates, tasks]`, row-major. */
  readonly probabilities: readonly number[];
  readonly tolerance: number;
}

const tensorSchema = Type.Object(
  {
    dims: Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1, maxItems: 2 }),
    data: Type.Array(Type.Number()),
  },
  { additionalProperties: false },
);

const parseDocument = parserOf(
  Type.Object(
    {
      inputs: Type.Record(Type.String(), tensorSchema),
      output: tensorSchema,
      tolerance: Type.Number({ exclusiveMinimum: 0 }),
    },
    { additionalProperties: false },
  ),
);

/** @throws {SetlistError} INVALID_ARGUMENT: file, field, expected and found. */
export function parseGolden(text: string, path: string, manifest: Manifest): Golden {
  try {
    return check(JSON.parse(text), path, manifest);
  } catch (error) {
    if (!(error instanceof SetlistError) && !(error instanceof SyntaxError)) throw error;
    throw invalidArgument(`${path}: ${error.message}`);
  }
}

function check(value: unknown, path: string, { model }: Manifest): Golden {
  const { inputs, output, tolerance } = parseDocument(value, "golden");
  const names = model.inputs.map((input) => input.name);
  for (const name of Object.keys(inputs)) {
    if (!names.includes(name)) throw invalidArgument(`inputs.${name}: unknown input${nearest(name, names)}`);
  }
  const candidates = output.dims[0] ?? 0;
  const perRequest = model.inputs.find((input) => input.entity === "user" || input.entity === "context");
  const requests = perRequest === undefined ? 1 : (inputs[perRequest.name]?.dims[0] ?? 0);
  expectDims("output", [candidates, model.tasks.length], output);
  const tensors = model.inputs.map((input) => {
    const tensor = inputs[input.name];
    if (tensor === undefined) throw invalidArgument(`inputs.${input.name}: expected, but missing`);
    const rows = input.entity === "item" || input.entity === "row" ? candidates : requests;
    expectDims(`inputs.${input.name}`, input.columns === undefined ? [rows] : [rows, input.columns], tensor);
    if (
      input.entity === "row" &&
      tensor.data.some((row) => !(Number.isInteger(row) && row >= 0 && row < requests))
    ) {
      throw invalidArgument(`inputs.${input.name}.data: expected rows from 0 to ${requests - 1}`);
    }
    const elements = inputElements(input, requests, candidates);
    const data = input.dtype === "float32" ? new Float32Array(elements) : new Int32Array(elements);
    data.set(tensor.data);
    return data;
  });
  return { path, requests, candidates, tensors, probabilities: output.data, tolerance };
}

function expectDims(
  field: string,
  expected: readonly number[],
  tensor: { dims: number[]; data: number[] },
): void {
  if (JSON.stringify(tensor.dims) !== JSON.stringify(expected)) {
    throw invalidArgument(
      `${field}.dims: expected ${JSON.stringify(expected)}, got ${JSON.stringify(tensor.dims)}`,
    );
  }
  const elements = expected.reduce((product, dim) => product * dim, 1);
  if (tensor.data.length !== elements) {
    throw invalidArgument(`${field}.data: expected ${elements} numbers, got ${tensor.data.length}`);
  }
}

/** @throws {SetlistError} INVALID_ARGUMENT where the model's answer is further from the recipe's than it allows; `answerer` names its files. */
export function checkGoldenAnswer(
  golden: Golden,
  probabilities: Float32Array,
  tasks: readonly string[],
  answerer?: string,
): void {
  for (const [index, expected] of golden.probabilities.entries()) {
    const found = probabilities[index] ?? Number.NaN;
    // Negated, so that a NaN fails too.
    if (!(Math.abs(found - expected) <= golden.tolerance)) {
      const candidate = Math.floor(index / tasks.length);
      throw invalidArgument(
        `${golden.path}: expected ${tasks[index % tasks.length]} of candidate ${candidate} to be ${expected} within ${golden.tolerance}, found ${found}; ${answerer === undefined ? "the model does" : `${answerer} do`} not compute what its recipe computed`,
      );
    }
  }
}
