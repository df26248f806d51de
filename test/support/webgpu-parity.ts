/**
 * `npm run test:webgpu`: every model of the repository scores its golden example and random ragged requests on the CPU
 * and on WebGPU, as one graph and as two, in the server's own workers. Fails where a probability differs by more than
 * 1e-5, where WebGPU runs none of the operators, or where there is no WebGPU.
 *
 * Without a VK_ICD_FILENAMES of the caller's, which names a GPU's own driver, it runs on SwiftShader, the software
 * adapter of Debian's chromium: hundreds of times slower than a GPU, and nothing but right or wrong can be read from it.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { drawTensor } from "../../loadtest/drawn-tensors.ts";
import { systemClock } from "../../src/app/system-clock.ts";
import type { Random } from "../../src/domain/clock.ts";
import type { ExecutionProvider } from "../../src/domain/execution-provider.ts";
import type { Tensor } from "../../src/domain/feature-store.ts";
import { openScorer } from "../../src/inference/inference.ts";
import { goldenBatch } from "../../src/inference/model-load.ts";
import { tryProvider } from "../../src/inference/provider-trial.ts";
import { inputElements } from "../../src/inference/ragged-batch.ts";
import { RemoteWorker } from "../../src/inference/remote-worker.ts";
import { readRepository, type StoredModel } from "../../src/inference/repository.ts";
import { buffersOf } from "../../src/inference/split-batch.ts";
import { goldenSplitBatch } from "../../src/inference/split-check.ts";
import type { OperatorCounts } from "../../src/inference/traced-session.ts";
import type { Reply } from "../../src/inference/worker-messages.ts";
import { spawnWorkerThread } from "../../src/inference/worker-thread.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";

const differenceMax = 1e-5;
const randomExamples = 20;
const softwareAdapter = "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Some requests' tensors, in the order of `model.inputs`, as a golden example has them. */
interface Example {
  readonly requests: number;
  readonly candidates: number;
  readonly tensors: readonly Tensor[];
}

if (process.env["VK_ICD_FILENAMES"] === undefined) runOnSoftwareAdapter();
else await compareAll();

/** Again in a process that finds the adapter: the loader reads its paths when a process begins. */
function runOnSoftwareAdapter(): void {
  if (!existsSync(softwareAdapter)) {
    notTested(
      `${softwareAdapter} is missing; install it with: apt-get install -y --no-install-recommends chromium`,
    );
    return;
  }
  const env = {
    XDG_RUNTIME_DIR: "/tmp",
    ...process.env,
    VK_ICD_FILENAMES: softwareAdapter,
    // Chromium brings the Vulkan loader as well.
    LD_LIBRARY_PATH: [process.env["LD_LIBRARY_PATH"], "/usr/lib/chromium"].filter(Boolean).join(":"),
  };
  const [, script = ""] = process.argv;
  process.exitCode =
    spawnSync(process.execPath, [script, ...process.argv.slice(2)], { env, stdio: "inherit" }).status ?? 1;
}

/** A parity that nobody has seen is no parity. */
function notTested(why: string): void {
  process.stderr.write(`webgpu parity: NOT TESTED: ${why}\n`);
  process.exitCode = 1;
}

async function compareAll(): Promise<void> {
  const failure = await tryProvider("webgpu");
  if (failure !== undefined) return notTested(failure);
  const seed = process.argv[2] ?? String(Date.now());
  console.log(
    `webgpu parity, seed ${seed} (npm run test:webgpu -- ${seed}), adapter ${process.env["VK_ICD_FILENAMES"]}`,
  );
  const repository = join(import.meta.dirname, "../../models/repository");
  const stored = (
    await Promise.all(
      (["student", "teacher"] as const).map((role) =>
        readRepository(repository, undefined, role, console.warn),
      ),
    )
  ).flat();
  const cpu = new RemoteWorker(spawnWorkerThread);
  const webgpu = new RemoteWorker(spawnWorkerThread);
  let largest = 0;
  for (const [place, model] of stored.entries()) {
    const random = randomStream(seed, model.path);
    const examples = [
      ...(model.golden === undefined ? [] : [model.golden]),
      ...Array.from({ length: randomExamples }, () => drawExample(model, random)),
    ];
    const { name, version } = model.manifest.model;
    for (const graphs of model.split === undefined ? ["one graph"] : ["one graph", "two graphs"]) {
      const began = performance.now();
      const scoring = graphs === "one graph" ? scoreWhole : scoreSplit;
      const expected = await scoring(cpu, place, model, "cpu", examples);
      const found = await scoring(webgpu, place, model, "webgpu", examples);
      const difference = Math.max(...examples.map((_, n) => furthest(expected[n], found[n])));
      const operators = await operatorsOf(webgpu, place);
      if (!((operators.webgpu ?? 0) > 0))
        throw new Error(`${name}/${version}: WebGPU ran none of its operators`);
      const candidates = examples.reduce((sum, one) => sum + one.candidates, 0);
      console.log(
        `${name}/${version}, ${graphs}: ${examples.length} batches of ${candidates} candidates, largest difference ${difference.toExponential(1)}; operators on webgpu ${operators.webgpu}, on cpu ${operators.cpu ?? 0}; ${((performance.now() - began) / 1_000).toFixed(1)} s`,
      );
      largest = Math.max(largest, difference);
    }
  }
  await Promise.all([cpu.exit(), webgpu.exit()]);
  await checkWholeScorer(repository);
  const verdict = largest <= differenceMax ? "passed" : "FAILED";
  console.log(`${verdict}: largest difference ${largest.toExponential(1)}, allowed ${differenceMax}`);
  process.exitCode = largest <= differenceMax ? 0 : 1;
}

/** The scorer as a server opens it tries WebGPU, checks the golden example on it, and says that the model runs on it. */
async function checkWholeScorer(repository: string): Promise<void> {
  const model = { name: "home-kd" };
  const scorer = await openScorer({
    repository,
    models: [model],
    executionProviders: ["webgpu", "cpu"],
    workers: 1,
    batchRowsMax: 64,
    queueRequestsMax: 16,
    clock: systemClock,
  });
  const [loaded] = scorer.models();
  const execution = loaded && scorer.execution(loaded);
  await scorer.close();
  console.log(`home-kd in a scorer: ${JSON.stringify(execution)}`);
  if (execution?.provider !== "webgpu")
    throw new Error("the scorer does not say that home-kd runs on WebGPU");
}

async function scoreWhole(
  worker: RemoteWorker,
  place: number,
  stored: StoredModel,
  provider: ExecutionProvider,
  examples: readonly Example[],
): Promise<Float32Array[]> {
  const { model, outputName } = stored.manifest;
  const { inputs, tasks } = model;
  const loading = { graph: stored.graph, inputs, outputName, tasks: tasks.length, providers: [provider] };
  expectKind(await worker.call({ kind: "load", model: place, ...loading }), "loaded");
  const scores: Float32Array[] = [];
  for (const example of examples) {
    const batch = goldenBatch(stored, example);
    scores.push(scoresOf(await worker.call({ kind: "run", model: place, batch }, [batch.buffer])));
  }
  return scores;
}

async function scoreSplit(
  worker: RemoteWorker,
  place: number,
  { manifest, split }: StoredModel,
  provider: ExecutionProvider,
  examples: readonly Example[],
): Promise<Float32Array[]> {
  if (split === undefined) throw new Error("this model has no two graphs");
  const { model, outputName } = manifest;
  const graphs = {
    item: split.item,
    request: split.request,
    providers: [provider],
    inputs: model.inputs,
    outputName,
    rowWidth: split.rowWidth,
    tasks: model.tasks.length,
  };
  expectKind(await worker.call({ kind: "load-split", model: place, graphs }), "split-loaded");
  const scores: Float32Array[] = [];
  for (const example of examples) {
    const run = goldenSplitBatch(model.inputs, example);
    scores.push(scoresOf(await worker.call({ kind: "run-split", model: place, ...run }, buffersOf(run))));
  }
  return scores;
}

async function operatorsOf(worker: RemoteWorker, place: number): Promise<OperatorCounts> {
  const reply = await worker.call({ kind: "count-operators", model: place });
  if (reply.kind !== "operators-counted") throw failed(reply);
  return reply.operators;
}

/** Infinite where one is missing or not a number. */
function furthest(expected: Float32Array | undefined, found: Float32Array | undefined): number {
  if (expected === undefined || found?.length !== expected.length) return Number.POSITIVE_INFINITY;
  const differences = found.map((value, place) => Math.abs(value - (expected[place] as number)));
  return differences.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...differences);
}

/** 1 to 4 requests of 1 to 40 candidates each, in any mix; a candidate's request is drawn, so that rows are out of order. */
function drawExample({ manifest, golden }: StoredModel, random: Random): Example {
  const { model } = manifest;
  const requests = 1 + Math.floor(random.next() * 4);
  const candidates = requests * (1 + Math.floor(random.next() * 40));
  const tensors = model.inputs.map((input, place): Tensor => {
    const elements = inputElements(input, requests, candidates);
    if (input.columns === undefined) {
      return Int32Array.from({ length: elements }, () => Math.floor(random.next() * requests));
    }
    return drawTensor(model, input, elements / input.columns, golden?.tensors[place], random);
  });
  return { requests, candidates, tensors };
}

function scoresOf(reply: Reply): Float32Array {
  if (reply.kind !== "scored") throw failed(reply);
  return reply.probabilities;
}

function expectKind(reply: Reply, kind: Reply["kind"]): void {
  if (reply.kind !== kind) throw failed(reply);
}

function failed(reply: Reply): Error {
  return new Error(reply.kind === "failed" ? reply.message : `unexpected answer "${reply.kind}"`);
}
