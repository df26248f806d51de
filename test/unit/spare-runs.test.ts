import { expect, onTestFinished, test, vi } from "vitest";
import { FilledSlots } from "../../src/inference/filled-slots.ts";
import { SpareRuns } from "../../src/inference/spare-runs.ts";
import type { WorkerHost } from "../../src/inference/worker-host.ts";
import type { Reply } from "../../src/inference/worker-messages.ts";
import type { PostedOrder } from "../../src/inference/worker-pool.ts";
import { encodedRequest } from "../support/encoded-request.ts";
import { modelWith } from "../support/ranking-model.ts";

const model = modelWith({ tasks: ["click", "like"], valueModel: { kind: "weighted-sum", weights: {} } });

/** Spare runs of a model that takes so long for a candidate, and the candidates of each run. */
function runsAt(msPerCandidate: number, state: () => "free" | "busy" | "closed" = () => "free") {
  const candidates: number[] = [];
  const pool = {
    async run(_place: number, orderFor: (host: WorkerHost) => PostedOrder): Promise<Reply> {
      const { order } = orderFor({ filledOf: () => new FilledSlots(model.inputs) } as unknown as WorkerHost);
      const count = (order as { batch: { candidates: number } }).batch.candidates;
      candidates.push(count);
      const probabilities = new Float32Array(count * model.tasks.length);
      return { kind: "scored", probabilities, inferenceMs: count * msPerCandidate };
    },
  };
  const runs = new SpareRuns(pool, { state, begin: () => {}, end: () => {} });
  const loaded = { model, place: 0, split: false, inFlight: 0 };
  const score = (count: number) => runs.score(loaded, encodedRequest(count, [], []));
  return { score, candidates, wake: () => runs.wake() };
}

test("a fast model's runs grow to a usual request's candidates, and the next request begins there", async () => {
  const { score, candidates } = runsAt(0.001);
  await score(500);
  await score(450);
  expect(candidates).toEqual([16, 32, 64, 128, 200, 60, 200, 200, 50]);
});

test("a slower model's runs stay at about two milliseconds", async () => {
  const { score, candidates } = runsAt(0.04);
  await score(300);
  expect(candidates).toEqual([16, 32, 64, 32, 64, 32, 60]);
});

test("no run is smaller than a few candidates, however slow the model", async () => {
  const { score, candidates } = runsAt(10);
  await score(40);
  expect(candidates).toEqual([16, 16, 8]);
});

test("each part waits for a moment to spare, and is given up after a second without one", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let state: "free" | "busy" = "busy";
  const { score, candidates, wake } = runsAt(0.001, () => state);
  const first = score(10);
  wake();
  await vi.advanceTimersByTimeAsync(900);
  expect(candidates).toEqual([]);
  state = "free";
  wake();
  expect(await first).toHaveLength(20);
  state = "busy";
  const second = expect(score(10)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  await vi.advanceTimersByTimeAsync(1_001);
  await second;
  expect(candidates).toEqual([10]);
});
