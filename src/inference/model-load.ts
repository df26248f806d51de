import { invalidArgument } from "../domain/error.ts";
import { checkGoldenAnswer, type Golden } from "./golden.ts";
import { checkSession } from "./model-check.ts";
import { allocateBatch, type RaggedBatch, tensorsOf } from "./ragged-batch.ts";
import type { StoredModel } from "./repository.ts";
import { checkSplit } from "./split-check.ts";
import type { Reply } from "./worker-messages.ts";
import type { WorkerThread } from "./worker-thread.ts";

/**
 * Loads every model into one worker, checks each against its manifest and its golden example, and warms it up, so that
 * the first request costs what every other costs. The places in `models` are the numbers that runs then name.
 * @throws {SetlistError} INVALID_ARGUMENT naming file, expected and found.
 */
export async function loadModels(
  thread: WorkerThread,
  models: readonly StoredModel[],
  batchRowsMax: number,
): Promise<void> {
  for (const [place, stored] of models.entries()) {
    const { model, outputName } = stored.manifest;
    const loaded = await thread.call({
      kind: "load",
      bytes: stored.bytes,
      inputs: model.inputs,
      outputName,
      tasks: model.tasks.length,
    });
    if (loaded.kind !== "loaded") throw refused(stored, "to load", loaded);
    checkSession(stored, loaded);
    if (stored.golden !== undefined) {
      const answer = await run(thread, place, stored, goldenBatch(stored, stored.golden));
      checkGoldenAnswer(stored.golden, answer, model.tasks);
      if (stored.split !== undefined) {
        await checkSplit(thread, stored, stored.split, stored.golden, goldenBatch(stored, stored.golden));
      }
    }
    for (const rows of warmUpRows(batchRowsMax)) {
      const answer = await run(thread, place, stored, allocateBatch(model.inputs, Math.min(rows, 4), rows));
      checkProbabilities(stored, answer);
    }
  }
}

/** One candidate, a usual request, and the largest batch: the arena then has its peak before the first request. */
function warmUpRows(batchRowsMax: number): readonly number[] {
  return [1, Math.min(200, batchRowsMax), batchRowsMax];
}

async function run(
  thread: WorkerThread,
  place: number,
  stored: StoredModel,
  batch: RaggedBatch,
): Promise<Float32Array> {
  const reply = await thread.call({ kind: "run", model: place, batch }, [batch.buffer]);
  if (reply.kind !== "scored") throw refused(stored, "to run", reply);
  return reply.probabilities;
}

function goldenBatch(stored: StoredModel, golden: Golden): RaggedBatch {
  const { inputs } = stored.manifest.model;
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
