import { type InferenceSession, Tensor } from "onnxruntime-node";
import type { ModelInput } from "../domain/model.ts";
import { inputDims, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";

/** A batch's tensors by name, as a session takes them; those that `wanted` refuses are left out. */
export function feedsOf(
  inputs: readonly ModelInput[],
  batch: RaggedBatch,
  wanted: (input: ModelInput) => boolean = () => true,
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [place, data] of tensorsOf(inputs, batch).entries()) {
    const input = inputs[place] as ModelInput;
    if (!wanted(input)) continue;
    const dims = inputDims(input, batch.requests, batch.candidates);
    feeds[input.name] =
      data instanceof Float32Array ? new Tensor("float32", data, dims) : new Tensor("int32", data, dims);
  }
  return feeds;
}

/** The one output that was asked for. @throws {Error} where it has another shape. */
export function outputOf(
  outputs: InferenceSession.OnnxValueMapType,
  name: string,
  shape: readonly number[],
): Float32Array<ArrayBuffer> {
  const output = outputs[name];
  if (output?.dims.join() !== shape.join()) {
    throw new Error(
      `expected output ${name} of shape [${shape.join(", ")}], found [${output?.dims.join(", ")}]`,
    );
  }
  return output.data as Float32Array<ArrayBuffer>;
}
