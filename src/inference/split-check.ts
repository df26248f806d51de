import { invalidArgument } from "../domain/error.ts";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { ModelInput } from "../domain/model.ts";
import { checkGoldenAnswer, type Golden } from "./golden.ts";
import { checkTensors } from "./model-check.ts";
import { allocateBatch, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import type { RemoteWorker } from "./remote-worker.ts";
import type { StoredModel } from "./repository.ts";
import { itemInputs, requestInputs, type StoredSplit, splitNames } from "./split.ts";
import { buffersOf, type SplitBatch } from "./split-batch.ts";
import type { Reply, TensorFacts } from "./worker-messages.ts";

/**
 * Loads both graphs of a model in place of its one. They have the inputs and outputs that its manifest says, and together they answer the golden
 * example as the recipe did.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function checkSplit(
  worker: RemoteWorker,
  place: number,
  { manifest }: StoredModel,
  split: StoredSplit,
  golden: Golden,
  providers: readonly ExecutionProvider[],
): Promise<void> {
  const { item, request, rowWidth } = split;
  const { model, outputName } = manifest;
  const both = `${item.path} and ${request.path}`;
  const loaded = await worker.call({
    kind: "load-split",
    model: place,
    graphs: {
      item,
      request,
      providers,
      inputs: model.inputs,
      outputName,
      rowWidth,
      tasks: model.tasks.length,
    },
  });
  if (loaded.kind !== "split-loaded") throw refused(both, "graphs for ONNX Runtime to load", loaded);
  const reference = model.inputs.map(({ name, dtype, entity, columns }) => {
    const rows = entity === "item" || entity === "row" ? "candidates" : "requests";
    return { entity, facts: { name, dtype, shape: columns === undefined ? [rows] : [rows, columns] } };
  });
  const itemInputs = reference.filter((one) => one.entity === "item").map(({ facts }) => facts);
  const others = reference.filter((one) => one.entity !== "item").map(({ facts }) => facts);
  const rows: TensorFacts = { name: splitNames.itemRows, dtype: "float32", shape: ["slab_rows", rowWidth] };
  const row: TensorFacts = { name: splitNames.itemRow, dtype: "int32", shape: ["candidates"] };
  const output = { name: outputName, dtype: "float32", shape: ["candidates", model.tasks.length] };
  checkTensors(item.path, "input", itemInputs, loaded.item.inputs);
  checkTensors(item.path, "output", [rows], loaded.item.outputs);
  checkTensors(request.path, "input", [...others, rows, row], loaded.request.inputs);
  checkTensors(request.path, "output", [output], loaded.request.outputs);
  const batch = goldenSplitBatch(model.inputs, golden);
  const answer = await worker.call({ kind: "run-split", model: place, ...batch }, buffersOf(batch));
  if (answer.kind !== "scored") throw refused(both, "graphs for ONNX Runtime to run", answer);
  checkGoldenAnswer(golden, answer.probabilities, model.tasks, both);
}

/**
 * The golden example as a run that brings every item. The rows lie in the slab the other way round, between slots that
 * no candidate has, so that a request graph that does not follow `item_row` answers otherwise.
 */
export function goldenSplitBatch(
  inputs: readonly ModelInput[],
  golden: Pick<Golden, "requests" | "candidates" | "tensors">,
): SplitBatch {
  const slots = Int32Array.from({ length: golden.candidates }, (_, index) => golden.candidates - index);
  const fill = (of: readonly ModelInput[], requests: number): RaggedBatch => {
    const batch = allocateBatch(of, requests, golden.candidates);
    for (const [index, target] of tensorsOf(of, batch).entries()) {
      const place = inputs.indexOf(of[index] as ModelInput);
      target.set(place < 0 ? slots : (golden.tensors[place] ?? []));
    }
    return batch;
  };
  return {
    batch: fill(requestInputs(inputs), golden.requests),
    items: fill(itemInputs(inputs), 0),
    slots: golden.candidates + 2,
    epoch: -2,
  };
}

function refused(paths: string, what: string, reply: Reply): Error {
  const found = reply.kind === "failed" ? reply.message : `the answer "${reply.kind}"`;
  return invalidArgument(`${paths}: expected ${what}, found: ${found}`);
}
