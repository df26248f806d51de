import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { isolations } from "../../src/domain/isolation.ts";
import type { Model } from "../../src/domain/model.ts";
import type { Scorer, Scores } from "../../src/domain/scorer.ts";
import { spawners } from "../../src/inference/worker-isolation.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { encodedRequest } from "../support/encoded-request.ts";
import { eventually } from "../support/eventually.ts";
import { observeWorkers } from "../support/observed-workers.ts";
import { drawRequest, linearRequest, openTinyScorer, slowRequest } from "../support/tiny-models.ts";

const linear = { name: "linear", version: "1" };
const slow = { name: "slow", version: "1" };
const brittle = { name: "brittle", version: "1" };
const never = Number.POSITIVE_INFINITY;
const models = (...refs: { name: string }[]) => ({ models: refs });

/** brittle: click = 0.1 (genre - 1) + sqrt(popularity), within [0, 1]; genre 4 breaks the whole run. */
function brittleRequest(popularity: number, genre: number) {
  return encodedRequest(1, [Float32Array.of(popularity, 0, 0), Int32Array.of(genre, 0, 0)], [0, 1]);
}

function rounded(probabilities: Float32Array): number[] {
  return [...probabilities].map((p) => Math.round(p * 1e6) / 1e6);
}

describe.each(isolations)("scores of a %s", (isolation) => {
  test("are what the model computes by hand, candidate by candidate", async () => {
    const scorer = await openTinyScorer({ ...models(linear), isolation });
    const request = linearRequest(0.4, 1, [
      [1, 2],
      [0.5, 0],
      [9, 4],
    ]);
    const scores = await scorer.score(linear, request, never);
    // The third would be 4.6: the model itself clips it to a probability.
    expect(rounded(scores.probabilities)).toEqual([0.6, 0.12, 0.35, 0.1, 1, 0.14]);
  });

  test("come with the time in the queue and the time of the run", async () => {
    const scorer = await openTinyScorer({ ...models(slow), isolation });
    const first = scorer.score(slow, slowRequest(600), never);
    const second = await scorer.score(slow, slowRequest(1), never);
    expect((await first).queueMs).toBeLessThan(second.queueMs);
    expect((await first).inferenceMs).toBeGreaterThan(1);
    // The second waited for the first's run: all of it, but for what had passed when it came.
    expect(second.queueMs).toBeGreaterThan((await first).inferenceMs / 2);
    expect(second.inferenceMs).toBeGreaterThan(0);
  });

  test("leave the request's tensors as they were, so that another model can score them too", async () => {
    const scorer = await openTinyScorer({ ...models(linear), isolation });
    const request = linearRequest(0.4, 1, [[1, 2]]);
    const first = await scorer.score(linear, request, never);
    expect(request.tensors[0]).toEqual(Float32Array.of(0.4, 0));
    expect((await scorer.score(linear, request, never)).probabilities).toEqual(first.probabilities);
  });

  test("of no candidates are none", async () => {
    const scorer = await openTinyScorer({ ...models(linear), isolation });
    const scores = await scorer.score(linear, linearRequest(0, 0, []), never);
    expect(scores.probabilities).toHaveLength(0);
  });

  test("come from every worker alike", async () => {
    const workers = observeWorkers(spawners[isolation]);
    const scorer = await openTinyScorer({ ...models(linear), workers: 2, spawn: workers.spawn });
    expect(workers.started).toHaveLength(2);
    const all = await Promise.all(
      [0, 0.2, 0.4].map((taste) => scorer.score(linear, linearRequest(taste, 0, [[0, 0]]), never)),
    );
    expect(all.map((scores) => rounded(scores.probabilities)[0])).toEqual([0, 0.05, 0.1]);
  });
});

describe.each(isolations)("batching for a %s", (isolation) => {
  test("sends what waits for a busy worker on in one run", async () => {
    const workers = observeWorkers(spawners[isolation]);
    const scorer = await openTinyScorer({ ...models(linear), spawn: workers.spawn });
    workers.runs.length = 0;
    const tastes = [0, 0.1, 0.2, 0.3, 0.4];
    const all = await Promise.all(
      tastes.map((taste) => scorer.score(linear, linearRequest(taste, 0, [[0, 0]]), never)),
    );
    expect(workers.runs).toEqual([1, 4]);
    expect(all.map((scores) => rounded(scores.probabilities)[0])).toEqual([0, 0.025, 0.05, 0.075, 0.1]);
  });

  test("waits for others although a worker is idle, where it may, and no longer", async () => {
    const workers = observeWorkers();
    const scorer = await openTinyScorer({
      ...models(slow),
      queueDelayMaxUs: 1_000_000,
      spawn: workers.spawn,
    });
    workers.runs.length = 0;
    const began = performance.now();
    const first = scorer.score(slow, slowRequest(1), never);
    await delay(5);
    await Promise.all([first, scorer.score(slow, slowRequest(2), never)]);
    expect(workers.runs).toEqual([2]);
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_000);
    workers.runs.length = 0;
    // As many as fit into one run: nobody else could join them.
    const full = performance.now();
    await Promise.all([30, 34].map((candidates) => scorer.score(slow, slowRequest(candidates), never)));
    expect(workers.runs).toEqual([2]);
    expect(performance.now() - full).toBeLessThan(1_000);
  });

  test("who waits for others is not behind: two models' requests are all answered, however long they may wait", async () => {
    const scorer = await openTinyScorer({
      ...models(linear, slow),
      isolation,
      // Tens of times what a busy machine may hold a worker up.
      queueDelayMaxUs: 400_000,
      queueWaitMaxMs: 1_000,
      standingQueueWaitMaxMs: 200,
    });
    const asked: Promise<unknown>[] = [];
    for (let turn = 0; turn < 60; turn++) {
      const one =
        turn % 2 === 0
          ? scorer.score(linear, linearRequest(0.4, 1, [[1, 2]]), never)
          : scorer.score(slow, slowRequest(1), never);
      asked.push(
        one.then(
          () => "answered",
          (error: Error) => error.message,
        ),
      );
      await delay(5);
    }
    expect(new Set(await Promise.all(asked))).toEqual(new Set(["answered"]));
  });

  test("keeps a run within its rows, and sends a request that is larger alone", async () => {
    const workers = observeWorkers(spawners[isolation]);
    const scorer = await openTinyScorer({ ...models(linear), batchRowsMax: 10, spawn: workers.spawn });
    const items = (count: number) => Array.from({ length: count }, () => [1, 0] as const);
    workers.runs.length = 0;
    const counts = [1, 6, 4, 5, 25, 2];
    const all = await Promise.all(
      counts.map((count) => scorer.score(linear, linearRequest(0, 0, items(count)), never)),
    );
    expect(workers.runs).toEqual([1, 2, 1, 1, 1]);
    expect(all.map((scores) => scores.probabilities.length)).toEqual([2, 12, 8, 10, 50, 4]);
  });

  test("does not let one request's failure be the others'", async () => {
    const scorer = await openTinyScorer({ ...models(brittle), isolation });
    const all = await Promise.allSettled([
      scorer.score(brittle, brittleRequest(0.25, 1), never),
      scorer.score(brittle, brittleRequest(0.25, 2), never),
      scorer.score(brittle, brittleRequest(0.25, 4), never),
      scorer.score(brittle, brittleRequest(-1, 1), never),
      scorer.score(brittle, brittleRequest(0.25, 3), never),
    ]);
    expect(all).toMatchObject([
      { status: "fulfilled" },
      { status: "fulfilled" },
      {
        status: "rejected",
        reason: {
          code: "UNAVAILABLE",
          message: expect.stringMatching(/brittle\/1 failed: .*out of data bounds/),
        },
      },
      {
        status: "rejected",
        reason: {
          code: "UNAVAILABLE",
          message: expect.stringMatching(/^model brittle\/1 gave NaN for click of candidate 0$/),
        },
      },
      { status: "fulfilled" },
    ]);
    const scores = all.flatMap((one) => (one.status === "fulfilled" ? rounded(one.value.probabilities) : []));
    expect(scores).toEqual([0.6, 0.7, 0.8]);
  });
});

describe("a deadline", () => {
  test("that has passed is refused at the door", async () => {
    const scorer = await openTinyScorer(models(linear));
    await expect(
      scorer.score(linear, linearRequest(0, 0, [[0, 0]]), performance.now() - 1),
    ).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test("is kept while the run goes on, and the result is discarded", async () => {
    const scorer = await openTinyScorer(models(slow));
    const began = performance.now();
    await expect(scorer.score(slow, slowRequest(2_000), began + 20)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: expect.stringMatching(/^inference had \d+ ms, and the deadline passed first$/),
    });
    const lateMs = performance.now() - began;
    expect(lateMs).toBeGreaterThanOrEqual(19);
    // The worker comes back, and its late result goes to nobody.
    const next = await scorer.score(slow, slowRequest(3), never);
    expect(next.probabilities).toHaveLength(3);
    // The refusal came in the first half of the run, however busy this machine is.
    expect(next.queueMs).toBeGreaterThan(lateMs);
  });

  test("drops the doomed request from the queue, not its neighbours", async () => {
    const workers = observeWorkers();
    const scorer = await openTinyScorer({ ...models(slow), spawn: workers.spawn });
    workers.runs.length = 0;
    const all = await Promise.allSettled([
      scorer.score(slow, slowRequest(1_000), never),
      scorer.score(slow, slowRequest(1), never),
      scorer.score(slow, slowRequest(2), performance.now() + 30),
      scorer.score(slow, slowRequest(3), never),
    ]);
    expect(all.map((one) => one.status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(workers.runs).toEqual([1, 2]);
  });

  test("is checked again when a request is taken from the queue, though its timer has not fired", async () => {
    const workers = observeWorkers();
    // A clock that leaps: to the timers only 1 ms passes.
    let leapMs = 0;
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + leapMs };
    const scorer = await openTinyScorer({ ...models(linear), spawn: workers.spawn, clock });
    workers.runs.length = 0;
    const first = scorer.score(linear, linearRequest(0, 0, [[0, 0]]), never);
    const doomed = scorer.score(linear, linearRequest(0, 0, [[0, 0]]), clock.monotonic() + 10_000);
    leapMs = 20_000;
    await expect(doomed).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await first;
    expect(workers.runs).toEqual([1]);
  });
});

describe("a full queue", () => {
  test("refuses, and takes requests again once there is room", async () => {
    const scorer = await openTinyScorer({ ...models(slow), queueRequestsMax: 2 });
    const running = scorer.score(slow, slowRequest(500), never);
    const waiting = [scorer.score(slow, slowRequest(1), never), scorer.score(slow, slowRequest(1), never)];
    await expect(scorer.score(slow, slowRequest(1), never)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: "2 requests wait for inference already, as many as may",
      retryAfterSeconds: 1,
    });
    await Promise.all([running, ...waiting]);
    expect((await scorer.score(slow, slowRequest(1), never)).probabilities).toHaveLength(1);
  });

  test("has room again when a waiting request expires", async () => {
    const scorer = await openTinyScorer({ ...models(slow), queueRequestsMax: 1 });
    const running = scorer.score(slow, slowRequest(1_000), never);
    await expect(scorer.score(slow, slowRequest(1), performance.now() + 10)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
    const second = scorer.score(slow, slowRequest(1), never);
    expect((await second).queueMs).toBeGreaterThan(1);
    await running;
  });
});

describe("what cannot be scored", () => {
  test("a model that is not loaded", async () => {
    const scorer = await openTinyScorer(models(linear));
    await expect(
      scorer.score({ name: "linear", version: "7" }, linearRequest(0, 0, [[0, 0]]), never),
    ).rejects.toMatchObject({ code: "UNAVAILABLE", message: "model linear/7 is not loaded" });
  });

  test("tensors that are another model's: they would shift the rows of the batch", async () => {
    const scorer = await openTinyScorer(models(linear));
    const request = linearRequest(0, 0, [[0, 0]]);
    await expect(scorer.score(linear, { ...request, candidateCount: 2 }, never)).rejects.toThrow(
      "expected a slot for each of 2 candidates, got 1",
    );
    const [numbers, ...rest] = request.tensors;
    await expect(
      scorer.score(linear, { ...request, tensors: [Int32Array.from(numbers ?? []), ...rest] }, never),
    ).rejects.toThrow(
      "linear/1: expected 2 float32 for input user_numbers of one request, got Int32Array of 2",
    );
  });
});

describe("while inference is behind", () => {
  /** Nine thousand candidates, known to cost a twentieth to a third of a millisecond each: 450 ms and more. */
  async function behind(options: Partial<Parameters<typeof openTinyScorer>[0]> = {}) {
    const scorer = await openTinyScorer({ ...models(slow), batchRowsMax: 100, ...options });
    for (let run = 0; run < 3; run++) await scorer.score(slow, slowRequest(100), never);
    const before = Array.from({ length: 90 }, () => scorer.score(slow, slowRequest(100), never));
    return { scorer, before };
  }

  test("a request whose deadline the queue does not leave is refused at once, not at its deadline", async () => {
    const { scorer, before } = await behind();
    await expect(scorer.score(slow, slowRequest(1), performance.now() + 60)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      // At its deadline it would be told what it had.
      message: expect.stringMatching(/^inference is \d+ ms behind, which the deadline does not leave$/),
    });
    await Promise.all(before);
  });

  test("a request that would wait longer than a queue may cost is refused, and taken once it is not", async () => {
    const { scorer, before } = await behind({ queueWaitMaxMs: 20, standingQueueWaitMaxMs: 20 });
    // Of those, most were refused themselves.
    const settled = Promise.allSettled(before);
    await expect(scorer.score(slow, slowRequest(1), never)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      retryAfterSeconds: 1,
      message: expect.stringMatching(/^inference is \d+ ms behind, longer than a request may wait$/),
    });
    const taken = (await settled).filter(({ status }) => status === "fulfilled");
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(before.length);
    expect((await scorer.score(slow, slowRequest(1), never)).probabilities.length).toBeGreaterThan(0);
  });

  test("fewer candidates are asked for once the queue stands, and all of them when it is gone", async () => {
    const { scorer, before } = await behind({ standingQueueWaitMaxMs: 40, reducedCandidates: 7 });
    expect(scorer.candidatesMax()).toBe(Number.POSITIVE_INFINITY);
    // Several times as many as can be scored; whom a standing queue keeps waiting is refused.
    const more = before.map((one): Promise<unknown> => one.catch(() => undefined));
    const feeding = setInterval(() => {
      const one = scorer.score(slow, slowRequest(100), never);
      more.push(one.catch(() => undefined));
    }, 1);
    try {
      await eventually(() => expect(scorer.candidatesMax()).toBe(7));
    } finally {
      clearInterval(feeding);
    }
    await Promise.all(more);
    expect(scorer.candidatesMax()).toBe(Number.POSITIVE_INFINITY);
  });

  test("the newest goes first once the queue stands", async () => {
    const { scorer, before } = await behind();
    // A queue stands when it has not been empty for 100 ms.
    await delay(150);
    const ended: string[] = [];
    const older = scorer.score(slow, slowRequest(100), never).then(() => ended.push("older"));
    const newer = scorer.score(slow, slowRequest(100), never).then(() => ended.push("newer"));
    await Promise.all([...before, older, newer]);
    expect(ended).toEqual(["newer", "older"]);
  });

  test("whom newer ones would keep passing once the queue stands is refused, and need not wait for its deadline", async () => {
    const { scorer, before } = await behind({ queueWaitMaxMs: 10_000, standingQueueWaitMaxMs: 40 });
    const settled = await Promise.allSettled(before);
    const refused = settled.filter((one) => one.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(before.length);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({
        code: "RESOURCE_EXHAUSTED",
        message: "newer requests were scored first for 40 ms, longer than a request may wait",
      });
    }
    // Nobody is left in the queue, and the next one does not find it heavy.
    expect(scorer.candidatesMax()).toBe(Number.POSITIVE_INFINITY);
    expect((await scorer.score(slow, slowRequest(1), never)).probabilities.length).toBeGreaterThan(0);
  });

  test("a request that its caller gives up leaves the queue", async () => {
    const workers = observeWorkers();
    const { scorer, before } = await behind({ spawn: workers.spawn });
    const given = new AbortController();
    const gone = scorer.score(slow, slowRequest(77), never, given.signal);
    given.abort(new Error("the caller hung up"));
    await expect(gone).rejects.toThrow("the caller hung up");
    await Promise.all(before);
    await scorer.score(slow, slowRequest(1), never);
    expect(workers.candidates).not.toContain(77);
    await expect(
      scorer.score(slow, slowRequest(1), never, AbortSignal.abort(new Error("gone before"))),
    ).rejects.toThrow("gone before");
  });
});

describe("spare work", () => {
  test("is scored like a request, in runs of no more than a usual request's candidates", async () => {
    const workers = observeWorkers();
    const scorer = await openTinyScorer({ ...models(linear), spawn: workers.spawn, batchRowsMax: 2_000 });
    const random = randomStream(1, "spare work");
    const model = scorer.resolve(linear) as Model;
    const requests = Array.from({ length: 8 }, () => drawRequest(model, 700, () => random.next()));
    const asRequests = await Promise.all(requests.map((one) => scorer.score(linear, one, never)));
    workers.candidates.length = 0;
    for (const [index, request] of requests.entries()) {
      const probabilities = await scorer.scoreSpare(linear, request);
      expect(rounded(probabilities)).toEqual(rounded((asRequests[index] as Scores).probabilities));
    }
    expect(workers.candidates[0]).toBe(16);
    expect(Math.max(...workers.candidates)).toBeLessThanOrEqual(200);
    expect(workers.candidates.reduce((sum, some) => sum + some, 0)).toBe(8 * 700);
  });

  test("waits while a worker has a request to score, and is released in the end", async () => {
    const workers = observeWorkers();
    const scorer = await openTinyScorer({ ...models(slow), spawn: workers.spawn });
    workers.candidates.length = 0;
    const busy = scorer.score(slow, slowRequest(300), never);
    const ended: string[] = [];
    const spare = scorer
      .scoreSpare(slow, { ...slowRequest(8), release: () => ended.push("released") })
      .then(() => ended.push("scored"));
    const behind = scorer.score(slow, slowRequest(7), never);
    await Promise.all([busy, spare, behind]);
    expect(workers.candidates).toEqual([300, 7, 8]);
    expect(ended).toEqual(["released", "scored"]);
  });

  test("gives way to a request that comes in the middle of it, and goes on behind it", async () => {
    const workers = observeWorkers();
    const scorer = await openTinyScorer({ ...models(slow), spawn: workers.spawn });
    workers.candidates.length = 0;
    const spare = scorer.scoreSpare(slow, slowRequest(60));
    const request = scorer.score(slow, slowRequest(7), never);
    expect((await spare).length).toBe((await request).probabilities.length * (60 / 7));
    expect(workers.candidates.slice(0, 2)).toEqual([16, 7]);
    expect(workers.candidates.slice(2).reduce((sum, some) => sum + some, 0)).toBe(44);
  });

  test("makes inference look no busier than requests make it", async () => {
    const scorer = await openTinyScorer({ ...models(slow), queueWaitMaxMs: 1, standingQueueWaitMaxMs: 1 });
    const spare = scorer.scoreSpare(slow, slowRequest(400));
    expect((await scorer.score(slow, slowRequest(1), never)).probabilities.length).toBeGreaterThan(0);
    expect((await spare).length).toBeGreaterThan(0);
  });

  test("that breaks its run fails alone, and the next request is scored", async () => {
    const scorer = await openTinyScorer(models(brittle));
    await expect(scorer.scoreSpare(brittle, brittleRequest(1, 4))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("model brittle/1 failed"),
    });
    await expect(scorer.scoreSpare(brittle, brittleRequest(-1, 0))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("gave NaN for"),
    });
    expect((await scorer.score(brittle, brittleRequest(0.25, 1), never)).probabilities.length).toBe(1);
  });

  test("is refused for a model that is not loaded, and once the scorer closes", async () => {
    const scorer = await openTinyScorer(models(slow));
    await expect(scorer.scoreSpare({ name: "slow", version: "9" }, slowRequest(1))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    const running = scorer.scoreSpare(slow, slowRequest(400));
    const busy = scorer.score(slow, slowRequest(100), never);
    const waiting = scorer.scoreSpare(slow, slowRequest(1));
    const ended = [running, waiting].map((one) => expect(one).rejects.toMatchObject({ code: "UNAVAILABLE" }));
    await scorer.close();
    await Promise.all([...ended, busy]);
    await expect(scorer.scoreSpare(slow, slowRequest(1))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe.each(isolations)("closing with a %s", (isolation) => {
  test("finishes what was accepted and refuses what comes then", async () => {
    const workers = observeWorkers(spawners[isolation]);
    const scorer = await openTinyScorer({ ...models(slow), spawn: workers.spawn });
    const accepted = [300, 1, 2].map((candidates) => scorer.score(slow, slowRequest(candidates), never));
    const closed = scorer.close();
    await expect(scorer.score(slow, slowRequest(1), never)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await closed;
    const lengths = (await Promise.all(accepted)).map((scores) => scores.probabilities.length);
    expect(lengths).toEqual([300, 1, 2]);
    expect(workers.started[0]?.hasEnded).toBe(true);
  });

  test("twice is the same as once", async () => {
    const scorer = await openTinyScorer({ ...models(linear), isolation });
    await scorer.close();
    await scorer.close();
  });
});

test("while 2,000 candidates are scored, the answering thread is free", async () => {
  const scorer = await openTinyScorer(models(slow));
  const model = scorer.resolve(slow) as Model;
  const { waits, ms } = await waitsDuring(scorer, model);
  // Long enough to be seen; a fast machine takes a tenth of a second.
  expect(ms).toBeGreaterThan(40);
  // Inference on this thread would make one wait of the whole run. The bounds leave room for whatever else the
  // machine does: on an idle one the median is under a millisecond.
  expect(waits.length).toBeGreaterThan(10);
  expect(waits[Math.floor(waits.length / 2)]).toBeLessThan(ms / 10);
  expect(waits.at(-1)).toBeLessThan(ms / 2);
});

/** How late a timer of 1 ms was, again and again during one long run; sorted. */
async function waitsDuring(scorer: Scorer, model: Model): Promise<{ waits: number[]; ms: number }> {
  const began = performance.now();
  let done = false;
  const scored = scorer
    .score(
      model,
      drawRequest(model, 2_000, () => 0.5),
      never,
    )
    .finally(() => {
      done = true;
    });
  const waits: number[] = [];
  while (!done) {
    const before = performance.now();
    await delay(1);
    waits.push(performance.now() - before - 1);
  }
  await scored;
  return { waits: waits.sort((a, b) => a - b), ms: performance.now() - began };
}
