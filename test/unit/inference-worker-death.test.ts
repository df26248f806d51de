import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { Isolation } from "../../src/domain/isolation.ts";
import { isolations } from "../../src/domain/isolation.ts";
import type { Order } from "../../src/inference/worker-messages.ts";
import { linkToThread } from "../../src/inference/worker-thread.ts";
import { mortalWorkers, observeWorkers } from "../support/observed-workers.ts";
import { linearRequest, openTinyScorer } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const one = linearRequest(0.4, 0, [[1, 0]]);
const soon = (): number => performance.now() + 60_000;

/** A scorer whose workers die on demand. */
async function mortal(isolation: Isolation, workers = 1, batchRowsMax = 64) {
  const observed = observeWorkers(mortalWorkers[isolation]);
  const warnings: string[] = [];
  const deaths = { count: 0 };
  const scorer = await openTinyScorer({
    models: [linear],
    workers,
    batchRowsMax,
    spawn: observed.spawn,
    onWarning: (warning) => warnings.push(warning),
    onWorkerDeath: () => {
      deaths.count += 1;
    },
  });
  return { scorer, warnings, deaths, ...observed };
}

describe.each(isolations)("in a %s:", (isolation) => {
  test("a worker that dies rejects what it was doing, is replaced, and what waited is answered", async () => {
    const { scorer, warnings, started, runs } = await mortal(isolation);
    started[0]?.tell("die");
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
      "an inference worker died (exit code 3); replaced at once (failure 1 of 9 in a row)",
    ]);
  });

  test("a run that was sent ahead to a worker that dies is done by the next one", async () => {
    const { scorer, started, runs } = await mortal(isolation, 1, 1);
    started[0]?.tell("die");
    runs.length = 0;
    // Every request is a full batch, so that the second one does not wait for the first's answer.
    const inside = scorer.score(linear, one, soon());
    const ahead = scorer.score(linear, one, soon());
    expect(runs).toEqual([1, 1]);
    await expect(inside).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect((await ahead).probabilities).toHaveLength(2);
  });

  test("an order that cannot be sent fails alone: the worker has room again, and answers whoever asked", async () => {
    const { scorer, started } = await mortal(isolation);
    const [worker] = started;
    const post = worker?.post;
    let refusals = 2;
    Object.assign(worker as object, {
      post(order: Order, transfer: ArrayBuffer[]) {
        if (refusals-- > 0)
          throw new DOMException("data could not be cloned, out of memory", "DataCloneError");
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
    const { scorer, warnings, started } = await mortal(isolation);
    started[0]?.tell("throw");
    await expect(scorer.score(linear, one, soon())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect((await scorer.score(linear, one, soon())).probabilities).toHaveLength(2);
    expect(warnings[0]).toMatch(
      isolation === "thread"
        ? /^an inference worker died \(thrown by a test\)/
        : /^an inference worker died \(exit code 1\)/,
    );
  });

  test("an idle worker that dies harms no request while another lives", async () => {
    const { scorer, started } = await mortal(isolation, 2);
    started[1]?.tell("die");
    await started[1]?.ended;
    for (let run = 0; run < 3; run++) {
      expect((await scorer.score(linear, one, soon())).probabilities).toHaveLength(2);
    }
  });

  test("a request that waits for a new worker still has its deadline", async () => {
    const { scorer, started } = await mortal(isolation);
    started[0]?.tell("die");
    await started[0]?.ended;
    await expect(scorer.score(linear, one, performance.now() + 20)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });

  test("closing while a worker is being replaced ends everything", async () => {
    const { scorer, started, deaths } = await mortal(isolation);
    started[0]?.tell("die");
    await started[0]?.ended;
    await scorer.close();
    // Whoever was asked to end did not die.
    expect(deaths.count).toBe(1);
    expect(started.map(({ hasEnded }) => hasEnded)).not.toContain(false);
  });
});

test("a process that crashes takes what it was doing, and nothing that waited", async () => {
  const { scorer, warnings, started } = await mortal("process");
  started[0]?.tell("crash");
  const [inFlight, waiting] = await Promise.allSettled([
    scorer.score(linear, one, soon()),
    scorer.score(linear, one, soon()),
  ]);
  expect(inFlight).toMatchObject({
    reason: { message: "model linear/1 was interrupted: the inference worker ended: SIGSEGV" },
  });
  expect(waiting).toMatchObject({ status: "fulfilled" });
  expect(warnings).toEqual([
    "an inference worker died (SIGSEGV); replaced at once (failure 1 of 9 in a row)",
  ]);
});

test("a worker that cannot start stops the start", async () => {
  const absent = new URL("./absent.ts", import.meta.url);
  await expect(
    openTinyScorer({ models: [linear], spawn: (events) => linkToThread(new Worker(absent), events) }),
  ).rejects.toThrow(/the inference worker ended: .*absent\.ts/);
});
