import { invalidArgument } from "../domain/error.ts";
import { checkGoldenAnswer, type Golden } from "./golden.ts";
import { checkTensors } from "./model-check.ts";
import type { RaggedBatch } from "./ragged-batch.ts";
import type { StoredModel } from "./repository.ts";
import { type StoredSplit, splitNames } from "./split.ts";
import type { Reply, TensorFacts } from "./worker-messages.ts";
import type { WorkerThread } from "./worker-thread.ts";

/**
 * Both graphs of a model have the inputs and outputs that its manifest says, and together they answer the golden
 * example as the recipe did.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function checkSplit(
  thread: WorkerThread,
  { manifest }: StoredModel,
  split: StoredSplit,
  golden: Golden,
  batch: RaggedBatch,
): Promise<void> {
  const { item, request, rowWidth } = split;
  const { model, outputName } = manifest;
  const both = `${item.path} and ${request.path}`;
  const loaded = await thread.call({
    kind: "load-split",
    graphs: { item: item.bytes, request: request.bytes, inputs: model.inputs, outputName, rowWidth },
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
  const answer = await thread.call({ kind: "run-split", batch, tasks: model.tasks.length }, [batch.buffer]);
  if (answer.kind !== "scored") throw refused(both, "graphs for ONNX Runtime to run", answer);
  checkGoldenAnswer(golden, answer.probabilities, model.tasks, both);
}

function refused(paths: string, what: string, reply: Reply): Error {
  const found = reply.kind === "failed" ? reply.message : `the answer "${reply.kind}"`;
  return invalidArgument(`${paths}: expected ${what}, found: ${found}`);
}
