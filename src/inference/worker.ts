/**
 * The thread that infers: one ONNX session a model, one order after the other. It has no state beyond its sessions, so
 * that any worker can run anything and a dead one is simply replaced.
 */
import { parentPort } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ModelInput } from "../domain/model.ts";
import { inputDims, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import { sessionOptions } from "./session-options.ts";
import { SplitSession, scoreBySplit } from "./split-session.ts";
import type { GraphFacts, Order, Reply, TensorFacts } from "./worker-messages.ts";

interface LoadedSession {
  readonly onnxSession: InferenceSession;
  readonly inputs: readonly ModelInput[];
  readonly outputName: string;
  readonly tasks: number;
}

if (parentPort === null) throw new Error("src/inference/worker.ts runs as a worker thread only");
const port = parentPort;
const sessions: LoadedSession[] = [];
let split: SplitSession | undefined;

port.on("message", (order: Order) => {
  obey(order).catch((error: unknown) => {
    reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  });
});

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case "load":
      return load(order);
    case "run":
      return run(order.model, order.batch);
    case "load-split":
      split = await SplitSession.open(order.graphs);
      return reply({
        kind: "split-loaded",
        item: graphFactsOf(split.item),
        request: graphFactsOf(split.request),
      });
    case "run-split":
      return runSplit(order.batch, order.tasks);
    case "exit":
      for (const { onnxSession } of sessions) await onnxSession.release();
      // Nothing is left to wait for: the thread ends by itself. Ending it from outside could abort a run.
      port.close();
  }
}

async function load(order: Extract<Order, { kind: "load" }>): Promise<void> {
  const { inputs, outputName, tasks } = order;
  // ONNX Runtime refuses a SharedArrayBuffer; this copy lives until the session has its own.
  const onnxSession = await InferenceSession.create(new Uint8Array(order.bytes).slice(), sessionOptions);
  sessions.push({ onnxSession, inputs, outputName, tasks });
  reply({ kind: "loaded", ...graphFactsOf(onnxSession) });
}

async function runSplit(batch: RaggedBatch, tasks: number): Promise<void> {
  if (split === undefined) throw new Error("this worker never loaded a split model");
  const began = performance.now();
  const probabilities = await scoreBySplit(split, batch, tasks);
  const inferenceMs = performance.now() - began;
  await split.release();
  split = undefined;
  reply({ kind: "scored", probabilities, inferenceMs }, [probabilities.buffer]);
}

async function run(model: number, batch: RaggedBatch): Promise<void> {
  const session = sessions[model];
  if (session === undefined) throw new Error(`this worker never loaded model number ${model}`);
  const { inputs, outputName, tasks, onnxSession } = session;
  const feeds: Record<string, Tensor> = {};
  for (const [place, data] of tensorsOf(inputs, batch).entries()) {
    const input = inputs[place] as ModelInput;
    const dims = inputDims(input, batch.requests, batch.candidates);
    feeds[input.name] =
      data instanceof Float32Array ? new Tensor("float32", data, dims) : new Tensor("int32", data, dims);
  }
  const began = performance.now();
  const output = (await onnxSession.run(feeds, [outputName]))[outputName];
  const inferenceMs = performance.now() - began;
  const [rows, columns] = output?.dims ?? [];
  if (output === undefined || rows !== batch.candidates || columns !== tasks) {
    throw new Error(
      `expected output ${outputName} of shape [${batch.candidates}, ${tasks}], found [${output?.dims.join(", ")}]`,
    );
  }
  const probabilities = output.data as Float32Array<ArrayBuffer>;
  reply({ kind: "scored", probabilities, inferenceMs }, [probabilities.buffer]);
}

function graphFactsOf({ inputMetadata, outputMetadata }: InferenceSession): GraphFacts {
  return { inputs: inputMetadata.map(factsOf), outputs: outputMetadata.map(factsOf) };
}

function factsOf(metadata: InferenceSession.ValueMetadata): TensorFacts {
  if (!metadata.isTensor) return { name: metadata.name, dtype: undefined, shape: [] };
  return { name: metadata.name, dtype: metadata.type, shape: [...metadata.shape] };
}

function reply(message: Reply, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
