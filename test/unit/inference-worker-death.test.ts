import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { observeWorkers } from "../support/observed-workers.ts";
import { linearRequest, openTinyScorer } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const one = linearRequest(0.4, 0, [[1, 0]]);
const soon = (): number => performance.now() + 10_000;

/** A scorer whose workers die on demand. */
async function mortal(workers = 1, batchRowsMax = 64) {
  const observed = observeWorkers(new URL("../support/mortal-worker.ts", import.meta.url));
  const warnings: string[] = [];
  const scorer = await openTinyScorer({
    models: [linear],
    workers,
    batchRowsMax,
    spawn: observed.spawn,
    onWarning: (warning) => warnings.push(warning),
  });
  return { scorer, warnings, ...observed };
}

test("a worker that dies rejects what it was doing, is replaced, and what waited is answered", async () => {
  const { scorer, warnings, started, runs } = await mortal();
  started[0]?.postMessage({ kind: "die" });
  runs.length = 0;
  const [inFlight, waiting] = await Promise.allSettled([
    scorer.score(linear, one, soon()),
    scorer.score(linear, one, soon()),
  ]);
  expect(inFlight).toMatchObject({
    status: "rejected",
    reason: {
      code: "UNAVAILABLE",
      message: "model linear/1 was interrupted: the inference worker ended: exit code 3",
      retryAfterSeconds: 1,
    },
  });
  expect(waiting).toMatchObject({ status: "fulfilled" });
  expect(started).toHaveLength(2);
  expect(warnings).toEqual([
    "an inference worker died (exit code 3); replaced in 100 ms (failure 1 of 8 in a row)",
  ]);
});

test("a run that was sent ahead to a worker that dies is done by the next one", async () => {
  const { scorer, started, runs } = await mortal(1, 1);
  started[0]?.postMessage({ kind: "die" });
  runs.length = 0;
  // Every request is a full batch, so that the second one does not wait for the first's answer.
  const inside = scorer.score(linear, one, soon());
  const ahead = scorer.score(linear, one, soon());
  expect(runs).toEqual([1, 1]);
  await expect(inside).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect((await ahead).probabilities).toHaveLength(2);
});

test("an order that cannot be sent fails alone: the worker has room again, and answers whoever asked", async () => {
  const { scorer, started } = await mortal();
  const [worker] = started;
  const post = worker?.postMessage.bind(worker);
  let refusals = 2;
  Object.assign(worker as object, {
    postMessage(order: object, transfer: ArrayBuffer[]) {
      if (refusals-- > 0) throw new DOMException("data could not be cloned, out of memory", "DataCloneError");
      post?.(order, transfer);
    },
  });
  for (let time = 0; time < 2; time++) {
    await expect(scorer.score(linear, one, soon())).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
  const tastes = [0, 0.4, 0.8];
  const asked = tastes.map((taste) => scorer.score(linear, linearRequest(taste, 0, [[0, 0]]), soon()));
  const clicks = (await Promise.all(asked)).map(({ probabilities }) => probabilities[0]);
  for (const [at, taste] of tastes.entries()) expect(clicks[at]).toBeCloseTo(0.25 * taste, 6);
});

test("a worker that throws is a worker that dies", async () => {
  const { scorer, warnings, started } = await mortal();
  started[0]?.postMessage({ kind: "throw" });
  await expect(scorer.score(linear, one, soon())).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect((await scorer.score(linear, one, soon())).probabilities).toHaveLength(2);
  expect(warnings[0]).toMatch(/^an inference worker died \(thrown by a test\); replaced in 100 ms/);
});

test("an idle worker that dies harms no request while another lives", async () => {
  const { scorer, started } = await mortal(2);
  started[1]?.postMessage({ kind: "die" });
  await new Promise((resolve) => started[1]?.once("exit", resolve));
  for (let run = 0; run < 3; run++) {
    expect((await scorer.score(linear, one, soon())).probabilities).toHaveLength(2);
  }
});

test("a request that waits for a new worker still has its deadline", async () => {
  const { scorer, started } = await mortal();
  started[0]?.postMessage({ kind: "die" });
  await new Promise((resolve) => started[0]?.once("exit", resolve));
  await expect(scorer.score(linear, one, performance.now() + 20)).rejects.toMatchObject({
    code: "DEADLINE_EXCEEDED",
  });
});

test("closing while a worker is being replaced ends everything", async () => {
  const { scorer, started } = await mortal();
  started[0]?.postMessage({ kind: "die" });
  await new Promise((resolve) => started[0]?.once("exit", resolve));
  await scorer.close();
  await delay(150);
  expect(started.map((worker) => worker.threadId)).toEqual([-1]);
});

test("a worker that cannot start stops the start", async () => {
  const absent = new URL("./absent.ts", import.meta.url);
  await expect(openTinyScorer({ models: [linear], spawn: observeWorkers(absent).spawn })).rejects.toThrow(
    /the inference worker ended: .*absent\.ts/,
  );
});
