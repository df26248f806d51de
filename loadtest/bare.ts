/**
 * The yardstick, in a process of its own: ONNX Runtime alone, one thread, `session.run` in a loop on the served graph,
 * tensors ready-made. Asked over IPC for `{ seconds }`, it answers `{ runsPerSecond, candidatesPerSecond, medianMs }`.
 */
import { InferenceSession } from "onnxruntime-node";
import { createLatencies } from "./latency.ts";
import { loadPlainFeatures } from "./plain-features.ts";
import { plainTensors } from "./plain-tensors.ts";
import { drawRankRequests } from "./rank-requests.ts";
import { worldSize } from "./world-size.ts";

export interface BareResult {
  readonly runsPerSecond: number;
  readonly candidatesPerSecond: number;
  readonly medianMs: number;
}

const candidates = 200;
const distinctRequests = 64;

const features = await loadPlainFeatures();
const model = await InferenceSession.create(features.modelFile, {
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const shape = { ...worldSize(), seed: 1, surface: "home", candidates, limit: undefined };
const feeds = drawRankRequests(shape, distinctRequests).map(({ user, candidateIds }) =>
  plainTensors(features, user.id, candidateIds),
);

async function measure(seconds: number): Promise<BareResult> {
  const latencies = createLatencies();
  const start = performance.now();
  let runs = 0;
  while (performance.now() - start < seconds * 1_000) {
    const before = performance.now();
    await model.run(feeds[runs++ % feeds.length] ?? {});
    latencies.record(performance.now() - before);
  }
  const runsPerSecond = (1_000 * runs) / (performance.now() - start);
  return { runsPerSecond, candidatesPerSecond: runsPerSecond * candidates, medianMs: latencies.at(50) };
}

process.on("message", async ({ seconds }: { seconds: number }) => {
  process.send?.(await measure(seconds));
});
process.once("disconnect", () => process.exit(0));
process.send?.({ ready: true });
