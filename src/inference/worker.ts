/**
 * What infers, in a thread or a process of its own: a model's one graph or its two, one order after the other. All it
 * keeps beside its sessions is what any worker could compute again, so that any worker can run anything and a dead one is
 * simply replaced.
 */
import type { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../domain/error.ts";
import type { ModelInput } from "../domain/model.ts";
import { readGraph } from "./graph-source.ts";
import type { RaggedBatch } from "./ragged-batch.ts";
import { SplitSession } from "./split-session.ts";
import { feedsOf, outputOf } from "./tensor-feeds.ts";
import { closeSession, countOperators, openSession } from "./traced-session.ts";
import type { GraphFacts, Order, Reply, TensorFacts } from "./worker-messages.ts";

interface LoadedModel {
  readonly inputs: readonly ModelInput[];
  readonly outputName: string;
  readonly tasks: number;
  readonly session: InferenceSession | SplitSession;
}

/** The worker's end of the way to the server. */
export interface AnswerLink {
  /** `transfer` is handed over where the channel can. */
  reply(message: Reply, transfer: ArrayBuffer[]): void;
  /** No order comes any more, so that the worker ends by itself. */
  close(): void;
}

interface Answer {
  readonly message: Reply;
  readonly transfer: ArrayBuffer[];
}

const models = new Map<number, LoadedModel>();

/** Obeys each order once those before it are done, and answers it. */
export function obeyInTurn(link: AnswerLink): (order: Order) => void {
  // A run gives way to the event loop while it lasts: without this the next order would begin before it has ended.
  let last: Promise<void> = Promise.resolve();
  return (order) => {
    last = last.then(async () => {
      if (order.kind === "exit") {
        await closeAll();
        return link.close();
      }
      const { message, transfer } = await obey(order).catch(failed);
      link.reply(message, transfer);
    });
  };
}

async function obey(order: Exclude<Order, { kind: "exit" }>): Promise<Answer> {
  switch (order.kind) {
    case "load":
      return load(order);
    case "run":
      return run(() => scoreWhole(order.model, order.batch));
    case "load-split":
      return loadSplit(order);
    case "run-split":
      return runSplit(order);
    case "count-operators":
      return countOf(order.model);
    case "unload":
      return unload(order.model);
  }
}

async function load(order: Extract<Order, { kind: "load" }>): Promise<Answer> {
  const { model, inputs, outputName, tasks } = order;
  const session = await openSession(await readGraph(order.graph), order.providers);
  models.set(model, { inputs, outputName, tasks, session });
  return answer({ kind: "loaded", ...graphFactsOf(session) });
}

async function loadSplit({ model, graphs }: Extract<Order, { kind: "load-split" }>): Promise<Answer> {
  const { inputs, outputName, tasks } = graphs;
  const session = await SplitSession.open(graphs);
  const before = models.get(model);
  if (before !== undefined) await close(before.session);
  models.set(model, { inputs, outputName, tasks, session });
  return answer({
    kind: "split-loaded",
    item: graphFactsOf(session.item),
    request: graphFactsOf(session.request),
  });
}

async function unload(model: number): Promise<Answer> {
  const loaded = models.get(model);
  models.delete(model);
  if (loaded !== undefined) await close(loaded.session);
  return answer({ kind: "unloaded" });
}

async function run(score: () => Promise<Float32Array<ArrayBuffer>>): Promise<Answer> {
  const began = performance.now();
  const probabilities = await score();
  const inferenceMs = performance.now() - began;
  return answer({ kind: "scored", probabilities, inferenceMs }, [probabilities.buffer]);
}

async function scoreWhole(model: number, batch: RaggedBatch): Promise<Float32Array<ArrayBuffer>> {
  const { inputs, outputName, tasks, session } = loadedModel(model);
  if (session instanceof SplitSession) throw new Error(`model number ${model} is loaded as two graphs`);
  const outputs = await session.run(feedsOf(inputs, batch), [outputName]);
  return outputOf(outputs, outputName, [batch.candidates, tasks]);
}

async function runSplit(order: Extract<Order, { kind: "run-split" }>): Promise<Answer> {
  const { session } = loadedModel(order.model);
  if (!(session instanceof SplitSession))
    throw new Error(`model number ${order.model} is loaded as one graph`);
  return session.isStale(order) ? answer({ kind: "stale" }) : run(() => session.score(order));
}

async function countOf(model: number): Promise<Answer> {
  return answer({ kind: "operators-counted", operators: await countOperators(sessionsOf(model)) });
}

function sessionsOf(model: number): readonly InferenceSession[] {
  const { session } = loadedModel(model);
  return session instanceof SplitSession ? [session.item, session.request] : [session];
}

async function closeAll(): Promise<void> {
  for (const { session } of models.values()) await close(session);
}

function close(session: LoadedModel["session"]): Promise<void> {
  return session instanceof SplitSession ? session.release() : closeSession(session);
}

function loadedModel(place: number): LoadedModel {
  const loaded = models.get(place);
  if (loaded === undefined) throw new Error(`this worker never loaded model number ${place}`);
  return loaded;
}

function graphFactsOf({ inputMetadata, outputMetadata }: InferenceSession): GraphFacts {
  return { inputs: inputMetadata.map(factsOf), outputs: outputMetadata.map(factsOf) };
}

function factsOf(metadata: InferenceSession.ValueMetadata): TensorFacts {
  if (!metadata.isTensor) return { name: metadata.name, dtype: undefined, shape: [] };
  return { name: metadata.name, dtype: metadata.type, shape: [...metadata.shape] };
}

function answer(message: Reply, transfer: ArrayBuffer[] = []): Answer {
  return { message, transfer };
}

function failed(error: unknown): Answer {
  return answer({ kind: "failed", message: messageOf(error) });
}
