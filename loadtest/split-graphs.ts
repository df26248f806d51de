/**
 * How much faster the request graph answers than the reference graph, with the items' rows at hand:
 * `node loadtest/split-graphs.ts models/repository/home-kd/1 [rounds]`. One thread, 200 candidates, rounds interleaved.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { messageOf } from "../src/domain/error.ts";
import type { EncodedRequest, Tensor } from "../src/domain/feature-store.ts";
import { FilledSlots } from "../src/inference/filled-slots.ts";
import { parseManifest } from "../src/inference/manifest.ts";
import { joinRequests } from "../src/inference/ragged-batch.ts";
import { sessionOptions } from "../src/inference/session-options.ts";
import { SplitSession } from "../src/inference/split-session.ts";
import { feedsOf } from "../src/inference/tensor-feeds.ts";
import { median } from "./bench-ratios.ts";

const candidates = 200;
const tableRows = 4_000;
const runsARound = 20;

async function measure(folder: string, rounds: number): Promise<string> {
  const [version = "", name = ""] = folder.split("/").filter(Boolean).reverse();
  const path = join(folder, "manifest.json");
  const { model, outputName, file, split } = parseManifest(await readFile(path, "utf8"), path, {
    name,
    version,
  });
  if (split === undefined) throw new Error(`${path}: split: expected, but missing`);
  const { inputs, tasks } = model;
  const reference = await InferenceSession.create(await readFile(join(folder, file)), sessionOptions);
  const sourceOf = (graph: { readonly file: string; readonly sha256: string }) => ({
    from: join(folder, graph.file),
    path: join(folder, graph.file),
    sha256: graph.sha256,
  });
  const graphs = await SplitSession.open({
    item: sourceOf(split.item),
    request: sourceOf(split.request),
    providers: ["cpu"],
    inputs,
    outputName,
    rowWidth: split.rowWidth,
    tasks: tasks.length,
  });
  const request: EncodedRequest = {
    candidateCount: candidates,
    tensors: inputs.map(({ entity, dtype, columns }) =>
      entity === "user" || entity === "context" ? half(dtype, columns ?? 1) : undefined,
    ),
    table: {
      tensors: inputs.map(({ entity, dtype, columns }) =>
        entity === "item" ? half(dtype, tableRows * (columns ?? 1)) : undefined,
      ),
      versions: new Uint32Array(tableRows).fill(1),
    },
    // A stride that is prime to the table's length: rows scattered over it, as candidates' are.
    slots: Int32Array.from({ length: candidates }, (_, index) => (index * 1237) % tableRows),
    defaultedCount: 0,
    storeUnavailable: false,
    release: () => undefined,
  };
  const filled = new FilledSlots(inputs);
  await graphs.score(filled.join([request]));
  const batch = filled.join([request]);
  const feeds = feedsOf(inputs, joinRequests(inputs, [request]));
  const ways = [() => reference.run(feeds, [outputName]), () => graphs.score(batch)];
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

function half(dtype: "float32" | "int32", elements: number): Tensor {
  return dtype === "float32" ? new Float32Array(elements).fill(0.5) : new Int32Array(elements);
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
      process.stderr.write(`${messageOf(error)}\n`);
      process.exitCode = 1;
    },
  );
}
