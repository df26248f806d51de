import { invalidArgument } from "../domain/error.ts";
import type { ExecutionProvider } from "../domain/execution-provider.ts";
import type { ModelInput } from "../domain/model.ts";
import { checkGoldenAnswer, type Golden } from "./golden.ts";
import { checkSession } from "./model-check.ts";
import type { ModelExecutions } from "./model-executions.ts";
import type { ProviderChoice } from "./provider-choice.ts";
import { allocateBatch, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import type { RemoteWorker } from "./remote-worker.ts";
import type { StoredModel } from "./repository.ts";
import { itemInputs, requestInputs } from "./split.ts";
import { buffersOf } from "./split-batch.ts";
import { checkSplit } from "./split-check.ts";
import { isCpuAlone } from "./traced-session.ts";
import type { Reply } from "./worker-messages.ts";
import type { PostedOrder } from "./worker-pool.ts";

/**
 * Loads a model into one worker, checks it against its manifest and its golden example, and warms it up, so that the
 * first request costs what every other costs. `place` is the number that runs then name; on what it runs is noted in
 * `executions`. A model that `hasServed` was checked in another worker: where it has two graphs, its own one, which is
 * only there to be checked, is not loaded again. That is two fifths of the time that a replacement takes to load.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function loadModel(
  worker: RemoteWorker,
  place: number,
  stored: StoredModel,
  batchRowsMax: number,
  choice: ProviderChoice,
  executions: ModelExecutions,
  hasServed: boolean,
): Promise<void> {
  const { golden, split, manifest } = stored;
  const { model } = manifest;
  const chosen = await choice.of(model.name);
  if (!hasServed || split === undefined) await loadWhole(worker, place, stored, chosen.usable);
  if (golden !== undefined && split !== undefined) {
    await checkSplit(worker, place, stored, split, golden, chosen.usable);
  }
  for (const rows of warmUpRows(batchRowsMax)) {
    const requests = Math.min(rows, 4);
    const order =
      stored.split === undefined
        ? wholeRun(place, allocateBatch(model.inputs, requests, rows))
        : splitRun(place, model.inputs, requests, rows);
    checkProbabilities(stored, await run(worker, order, stored));
  }
  const counted = isCpuAlone(chosen.usable)
    ? undefined
    : await worker.call({ kind: "count-operators", model: place });
  if (counted?.kind === "failed") throw refused(stored, "to trace", counted);
  executions.note(model, chosen, counted?.kind === "operators-counted" ? counted.operators : undefined);
}

/** Loads a model's own graph, and checks it. */
async function loadWhole(
  worker: RemoteWorker,
  place: number,
  stored: StoredModel,
  providers: readonly ExecutionProvider[],
): Promise<void> {
  const { model, outputName } = stored.manifest;
  const loaded = await worker.call({
    kind: "load",
    model: place,
    graph: stored.graph,
    providers,
    inputs: model.inputs,
    outputName,
    tasks: model.tasks.length,
  });
  if (loaded.kind !== "loaded") throw refused(stored, "to load", loaded);
  checkSession(stored, loaded);
  if (stored.golden === undefined) return;
  const answer = await run(worker, wholeRun(place, goldenBatch(stored, stored.golden)), stored);
  checkGoldenAnswer(stored.golden, answer, model.tasks);
}

function wholeRun(place: number, batch: RaggedBatch): PostedOrder {
  return { order: { kind: "run", model: place, batch }, transfer: [batch.buffer] };
}

/** Every item's row is computed anew, into the slab's first slot. */
function splitRun(place: number, inputs: readonly ModelInput[], requests: number, rows: number): PostedOrder {
  const batch = {
    batch: allocateBatch(requestInputs(inputs), requests, rows),
    items: allocateBatch(itemInputs(inputs), 0, rows),
    slots: 1,
    epoch: -2,
  };
  return { order: { kind: "run-split", model: place, ...batch }, transfer: buffersOf(batch) };
}

/** One candidate, a usual request, and the largest batch: the arena then has its peak before the first request. */
function warmUpRows(batchRowsMax: number): readonly number[] {
  return [1, Math.min(200, batchRowsMax), batchRowsMax];
}

async function run(
  worker: RemoteWorker,
  { order, transfer }: PostedOrder,
  stored: StoredModel,
): Promise<Float32Array> {
  const reply = await worker.call(order, transfer);
  if (reply.kind !== "scored") throw refused(stored, "to run", reply);
  return reply.probabilities;
}

/** The golden example, or another like it, as a run of the reference graph. */
export function goldenBatch(
  { manifest }: StoredModel,
  golden: Pick<Golden, "requests" | "candidates" | "tensors">,
): RaggedBatch {
  const { inputs } = manifest.model;
  const batch = allocateBatch(inputs, golden.requests, golden.candidates);
  for (const [place, target] of tensorsOf(inputs, batch).entries()) target.set(golden.tensors[place] ?? []);
  return batch;
}

function checkProbabilities({ path, manifest }: StoredModel, probabilities: Float32Array): void {
  const wrong = probabilities.find((p) => !(p >= 0 && p <= 1));
  if (wrong === undefined) return;
  throw invalidArgument(
    `${path}: expected probabilities from 0 to 1 in output ${manifest.outputName}, found ${wrong} for inputs of zeros`,
  );
}

function refused({ path }: StoredModel, what: string, reply: Reply): Error {
  const found = reply.kind === "failed" ? reply.message : `the answer "${reply.kind}"`;
  return invalidArgument(`${path}: expected a model for ONNX Runtime ${what}, found: ${found}`);
}
