/**
 * How much faster the request graph answers than the reference graph, with the items' rows at hand:
 * `node loadtest/split-graphs.ts models/repository/home-kd/1 [rounds]`. One thread, 200 candidates, rounds interleaved.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ModelInput } from "../src/domain/model.ts";
import { parseManifest } from "../src/inference/manifest.ts";
import { allocateBatch, inputDims, tensorsOf } from "../src/inference/ragged-batch.ts";
import { sessionOptions } from "../src/inference/session-options.ts";
import { SplitSession } from "../src/inference/split-session.ts";

const candidates = 200;
const slabRows = 4000;
const runsARound = 20;

async function measure(folder: string, rounds: number): Promise<string> {
  const [version = "", name = ""] = folder.split("/").filter(Boolean).reverse();
  const path = join(folder, "manifest.json");
  const { model, outputName, file, split } = parseManifest(await readFile(path, "utf8"), path, {
    name,
    version,
  });
  if (split === undefined) throw new Error(`${path}: split: expected, but missing`);
  const reference = await InferenceSession.create(await readFile(join(folder, file)), sessionOptions);
  const graphs = await SplitSession.open({
    item: await shared(join(folder, split.item.file)),
    request: await shared(join(folder, split.request.file)),
    inputs: model.inputs,
    outputName,
    rowWidth: split.rowWidth,
  });
  const batch = allocateBatch(model.inputs, 1, candidates);
  const feeds: Record<string, Tensor> = {};
  for (const [place, data] of tensorsOf(model.inputs, batch).entries()) {
    const input = model.inputs[place] as ModelInput;
    if (data instanceof Float32Array) data.fill(0.5);
    const dims = inputDims(input, 1, candidates);
    feeds[input.name] =
      data instanceof Float32Array ? new Tensor("float32", data, dims) : new Tensor("int32", data, dims);
  }
  const rows = await graphs.itemRows(batch);
  const slab = new Float32Array(slabRows * split.rowWidth);
  // A stride that is prime to the slab's length: rows scattered over it, as candidates' are.
  const itemRow = Int32Array.from({ length: candidates }, (_, index) => (index * 1237) % slabRows);
  for (const [index, place] of itemRow.entries()) {
    slab.set(rows.subarray(index * split.rowWidth, (index + 1) * split.rowWidth), place * split.rowWidth);
  }
  const ways = [
    () => reference.run(feeds, [outputName]),
    () => graphs.score(batch, slab, itemRow, model.tasks.length),
  ];
  const times: number[][] = [[], []];
  for (let round = -1; round < rounds; round += 1) {
    for (const [way, run] of ways.entries()) {
      const began = performance.now();
      for (let index = 0; index < runsARound; index += 1) await run();
      // The first round warms up.
      if (round >= 0) times[way]?.push((performance.now() - began) / runsARound);
    }
  }
  await graphs.release();
  await reference.release();
  const [one = 0, other = 0] = times.map(median);
  const ratio = median((times[0] ?? []).map((time, round) => time / (times[1]?.[round] ?? Number.NaN)));
  return `${folder}: ${candidates} candidates, ${rounds} rounds of ${runsARound}: reference ${one.toFixed(3)} ms, request graph ${other.toFixed(3)} ms, median ratio ${ratio.toFixed(2)}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

async function shared(path: string): Promise<SharedArrayBuffer> {
  const data = await readFile(path);
  const bytes = new SharedArrayBuffer(data.length);
  new Uint8Array(bytes).set(data);
  return bytes;
}

const [folder, rounds = "30"] = process.argv.slice(2);
if (folder === undefined || folder === "--help" || !/^[1-9][0-9]*$/.test(rounds)) {
  const usage = "usage: node loadtest/split-graphs.ts <repository>/<name>/<version> [rounds]";
  (folder === "--help" ? process.stdout : process.stderr).write(`${usage}\n`);
  process.exitCode = folder === "--help" ? 0 : 2;
} else {
  await measure(folder, Number(rounds)).then(
    (line) => process.stdout.write(`${line}\n`),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    },
  );
}
