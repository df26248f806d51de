import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Assignment } from "../../src/domain/assignment.ts";
import { SetlistError } from "../../src/domain/error.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { defaultLimits } from "../../src/domain/limits.ts";
import type { Model } from "../../src/domain/model.ts";
import type { DegradedReason, RankAnswer } from "../../src/domain/rank.ts";
import { ConcurrencyLimit } from "../../src/serving/concurrency-limit.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { createServing, type ServingDependencies } from "../../src/serving/serving.ts";
import type { AnsweredRequest } from "../../src/serving/shadows.ts";
import { emptyRequest } from "../support/encoded-request.ts";
import { experimentWith } from "../support/experiments.ts";

const model = (name: string): Model => ({
  name,
  version: "1",
  role: "student",
  surface: "home",
  description: "",
  tasks: ["click", "like"],
  inputs: [],
  features: [],
  valueModel: { kind: "weighted-sum", weights: { click: 1, like: 1 } },
  provenance: null,
});

const treated: Assignment = {
  experiment: "home-kd",
  arm: "kd",
  layer: "home-ranker",
  phase: 1,
  unit: "u1",
  propensity: 0.5,
  overridden: false,
};

/** A server whose parts are plain values; each test replaces the part it is about. */
function house(parts: Partial<ServingDependencies> = {}) {
  const logged: Impression[] = [];
  const fallbacks: DegradedReason[] = [];
  const dropped: string[] = [];
  const ranked: Impression[] = [];
  let time = 0;
  const deps: ServingDependencies = {
    surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 50 }]]),
    assigner: () => ({
      assign: () => [],
      explain: () => [],
      decide: () => undefined,
      decideAll: () => [],
      experiments: [],
      armOf: () => ({ id: "kd", control: false, weight: 1, model: { name: "home-kd" } }),
      experimentOf: () => experimentWith(),
      isToBeKept: () => false,
    }),
    features: {
      encode: async (_model, request) => ({
        ...emptyRequest,
        candidateCount: request.candidates.length,
      }),
      close: async () => {},
    },
    scorer: {
      resolve: (ref) => model(ref.name),
      candidatesMax: () => Number.POSITIVE_INFINITY,
      models: () => [],
      execution: () => undefined,
      // The last candidate is the best one, so that the order differs from the one it came in.
      score: async (_model, { candidateCount }) => ({
        probabilities: Float32Array.from({ length: candidateCount * 2 }, (_, i) =>
          i % 2 === 0 ? i / 1000 : 0,
        ),
        queueMs: 1,
        inferenceMs: 2,
      }),
      scoreSpare: async () => new Float32Array(0),
      close: async () => {},
    },
    log: {
      appendImpression: async (impression) => {
        logged.push(impression);
      },
      appendOutcomes: async (outcomes) => ({ accepted: outcomes.length, duplicates: 0, unmatched: 0 }),
      appendShadow: async () => {},
      close: async () => {},
    },
    observer: {
      ranked: (impression) => ranked.push(impression),
      fellBack: (reason) => fallbacks.push(reason),
      impressionDropped: (requestId) => dropped.push(requestId),
      outcomes: () => {},
      evaluated: () => {},
      exposed: () => {},
    },
    clock: { now: () => 1_700_000_000_000, monotonic: () => time++ },
    concurrency: new ConcurrencyLimit({
      clock: { now: () => 0, monotonic: () => 0 },
      answerMsTarget: 25,
      inFlightMax: 1_024,
    }),
    limits: defaultLimits,
    newRequestId: () => "made",
    ...parts,
  };
  return { serving: createServing(deps), deps, logged, fallbacks, dropped, ranked };
}

const request = { surface: "home", user: { id: "u1" }, candidateIds: ["a", "b", "c"] };
const ids = (answer: RankAnswer): string[] => answer.items.map((item) => item.id);

describe("beyond its limit a request", () => {
  const beyond = (impression: Impression | undefined) =>
    impression?.beyondLimit?.map(({ id, position }) => `${position} ${id}`);

  test("has the next in the order logged, as many as are asked for, and shows what it shows without them", async () => {
    const { serving, logged } = house({ candidatesBeyondLimit: 1 });
    const plain = house();
    const limited = { ...request, limit: 1, explain: true, requestId: "r" };
    const answer = await serving.rank(limited, 0);
    const without = await plain.serving.rank(limited, 0);
    expect({ ...answer, timings: {} }).toStrictEqual({ ...without, timings: {} });
    expect(ids(answer)).toEqual(["c"]);
    expect(answer.explanation?.items).toHaveLength(1);
    expect(logged[0]?.items.map(({ id }) => id)).toEqual(["c"]);
    expect(beyond(logged[0])).toEqual(["2 b"]);
    expect(logged[0]?.beyondLimit?.[0]).toMatchObject({ tasks: { click: Math.fround(0.002), like: 0 } });
    expect(plain.logged[0]?.beyondLimit).toBeUndefined();
  });

  test("has no more than there are, and nothing where it has no limit", async () => {
    const { serving, logged } = house({ candidatesBeyondLimit: 10 });
    await serving.rank({ ...request, limit: 2 }, 0);
    await serving.rank({ ...request, limit: 3 }, 0);
    await serving.rank(request, 0);
    expect(logged.map(beyond)).toEqual([["3 a"], undefined, undefined]);
    expect(logged.map(({ candidateCount }) => candidateCount)).toEqual([3, 3, 3]);
  });

  test("has the order of arrival logged where no model scored, and features of nothing", async () => {
    const { deps } = house();
    const { serving, logged } = house({
      candidatesBeyondLimit: 1,
      servedFeatures: { share: 1 },
      scorer: { ...deps.scorer, resolve: () => undefined },
    });
    await serving.rank({ ...request, limit: 1 }, 0);
    expect(beyond(logged[0])).toEqual(["2 b"]);
    expect(logged[0]?.served).toBeUndefined();
  });
});

describe("features as they were served", () => {
  test("are logged of a share that goes by the request's id alone, in every process alike", async () => {
    const [one, other] = [0.3, 0.3].map((share) => house({ servedFeatures: { share } }));
    const requests = Array.from({ length: 400 }, (_, i) => `request-${i}`);
    for (const requestId of requests) {
      await one?.serving.rank({ ...request, requestId }, 0);
      await other?.serving.rank({ ...request, requestId, user: { id: "another" } }, 0);
    }
    const kept = one?.logged.filter(({ served }) => served !== undefined).map(({ requestId }) => requestId);
    expect(kept).toEqual(requests.filter((id) => isInShare(0.3, id, "served-features")));
    expect(kept).toEqual(
      other?.logged.filter(({ served }) => served !== undefined).map(({ requestId }) => requestId),
    );
    expect(kept?.length).toBeGreaterThan(80);
    expect(kept?.length).toBeLessThan(160);
  });

  test("are logged of none where nothing is configured", async () => {
    const { serving, logged } = house();
    await serving.rank(request, 0);
    expect(logged[0]?.served).toBeUndefined();
  });
});

describe("a rank request", () => {
  test("has the attributes of its user and its context logged as it sent them", async () => {
    const { serving, logged } = house();
    const attributes = { country: "DE", age: 41.5, premium: false };
    await serving.rank({ ...request, user: { id: "u1", attributes }, context: { attributes: {} } }, 0);
    await serving.rank({ ...request, context: { attributes: { device: "ios" } } }, 0);
    await serving.rank(request, 0);
    expect(logged.map((one) => one.attributes)).toStrictEqual([
      { user: attributes },
      { context: { device: "ios" } },
      undefined,
    ]);
  });

  test("is answered best first by the surface's default model where no experiment runs", async () => {
    const { serving } = house();
    const answer = await serving.rank(request, 0);
    expect(ids(answer)).toEqual(["c", "b", "a"]);
    expect(answer.items.map((item) => item.position)).toEqual([1, 2, 3]);
    expect(answer.model).toEqual({ name: "home-control", version: "1" });
    expect(answer.degraded).toEqual([]);
    expect(answer.requestId).toBe("made");
    expect(answer.decisions).toBeUndefined();
  });

  test("that a slow network brought is no sign of overload", async () => {
    let now = 0;
    let turnEnds = (): void => undefined;
    const clock = { now: () => now, monotonic: () => now };
    const concurrency = new ConcurrencyLimit({
      clock,
      answerMsTarget: 25,
      inFlightMax: 1_024,
      afterTurn: (ended) => {
        turnEnds = ended;
      },
    });
    const { serving } = house({ clock, concurrency });
    for (let window = 0; window < 5; window++) {
      now += 100;
      await serving.rank(request, now - 300);
      turnEnds();
    }
    expect(concurrency.limit).toBe(1_024);
  });

  test("is not scored while others are refused: it keeps its order, and says so", async () => {
    const scored: string[] = [];
    let now = 0;
    const concurrency = new ConcurrencyLimit({
      clock: { now: () => now, monotonic: () => now },
      answerMsTarget: 25,
      inFlightMax: 100,
    });
    // Late twice: no more than 64 at a time are let in from then on.
    for (let window = 0; window < 2; window++) {
      const since = Array.from({ length: 70 }, () => concurrency.begin());
      now += 60;
      for (const one of since) concurrency.end(one);
      await delay(1);
    }
    const { serving, deps, logged, fallbacks } = house({
      concurrency,
      scorer: {
        ...house().deps.scorer,
        score: async (model) => {
          scored.push(model.name);
          throw new Error("should not be asked");
        },
      },
    });
    expect(deps.concurrency.isRefusing()).toBe(false);
    const others = Array.from({ length: 64 }, () => concurrency.begin());
    await expect(serving.rank(request, 0)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    for (const since of others) concurrency.end(since);
    await delay(1);
    const answer = await serving.rank(request, 0);
    expect(ids(answer)).toEqual(["a", "b", "c"]);
    expect(answer.degraded).toEqual(["overload"]);
    expect([scored, fallbacks, logged.length]).toEqual([[], ["overload"], 1]);
  });

  test("is scored by the model of the arm that it was assigned to", async () => {
    const { deps } = house();
    const { serving } = house({ assigner: () => ({ ...deps.assigner(), assign: () => [treated] }) });
    const answer = await serving.rank({ ...request, requestId: "mine" }, 0);
    expect(answer.model?.name).toBe("home-kd");
    expect(answer.assignments).toEqual([treated]);
    expect(answer.requestId).toBe("mine");
  });

  test("is an exposure of the one experiment whose arm it was served by, though its answer names every arm", async () => {
    const { deps } = house();
    const second = { ...treated, experiment: "other", layer: "other-layer" };
    const { serving, logged } = house({
      assigner: () => ({ ...deps.assigner(), assign: () => [treated, second] }),
    });
    const answer = await serving.rank(request, 0);
    expect(answer.assignments).toEqual([treated, second]);
    expect(logged[0]?.assignments).toEqual([treated]);
  });

  test("is in the log, as it was answered, before its answer leaves", async () => {
    let written = false;
    const { deps } = house();
    const { serving } = house({
      log: {
        ...deps.log,
        appendImpression: async () => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          written = true;
        },
      },
    });
    await serving.rank(request, 0);
    expect(written).toBe(true);

    const { serving: other, logged } = house();
    const answer = await other.rank({ ...request, limit: 2 }, 0);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ requestId: "made", userId: "u1", surface: "home", candidateCount: 3 });
    expect(logged[0]?.items).toEqual(answer.items);
    expect(logged[0]?.items).toHaveLength(2);
  });

  test("keeps in the log what the request sent inline, of its user, its context and the items that were ranked", async () => {
    const { serving, logged } = house();
    await serving.rank(
      {
        surface: "home",
        user: { id: "u1", features: { taste: [1, 2] } },
        context: { features: { seed_content: [0.5, 0] } },
        candidates: [
          { id: "t1", features: { tempo: 90 } },
          { id: "t2" },
          { id: "t3", features: { tempo: 95 } },
        ],
        limit: 2,
      },
      0,
    );
    expect(logged[0]?.items.map(({ id }) => id)).toEqual(["t3", "t2"]);
    expect(logged[0]?.sent).toEqual({
      user: { taste: [1, 2] },
      context: { seed_content: [0.5, 0] },
      items: [{ tempo: 95 }, undefined],
    });
    await serving.rank({ ...request, candidates: [{ id: "t1", features: {} }], candidateIds: undefined }, 0);
    expect(logged[1]?.sent).toBeUndefined();
  });

  test.each([
    ["DEADLINE_EXCEEDED", "deadline"],
    ["RESOURCE_EXHAUSTED", "overload"],
    ["UNAVAILABLE", "model-unavailable"],
    ["INTERNAL", "model-unavailable"],
  ] as const)("that meets %s while scoring gets the order it came in, marked %s", async (code, reason) => {
    const { deps } = house();
    const { serving, fallbacks, logged } = house({
      scorer: {
        ...deps.scorer,
        score: async () => {
          throw new SetlistError(code, "scoring failed");
        },
      },
    });
    const answer = await serving.rank(request, 0);
    expect(ids(answer)).toEqual(["a", "b", "c"]);
    expect(answer.items.every((item) => item.score === 0)).toBe(true);
    expect(answer.model).toBeUndefined();
    expect(answer.degraded).toEqual([reason]);
    expect(fallbacks).toEqual([reason]);
    expect(logged).toHaveLength(1);
  });

  test("whose model is not loaded gets the order it came in", async () => {
    const { deps } = house();
    const { serving } = house({ scorer: { ...deps.scorer, resolve: () => undefined } });
    const answer = await serving.rank({ ...request, limit: 2 }, 0);
    expect(ids(answer)).toEqual(["a", "b"]);
    expect(answer.degraded).toEqual(["model-unavailable"]);
  });

  test("says how many of its entities had no features, and when the store could not be asked", async () => {
    const { deps } = house();
    const { serving } = house({
      features: {
        ...deps.features,
        encode: async () => ({
          ...emptyRequest,
          candidateCount: 3,
          defaultedCount: 2,
          storeUnavailable: true,
        }),
      },
    });
    const answer = await serving.rank(request, 0);
    expect(answer.degraded).toEqual(["feature-store-unavailable", "defaults:2"]);
    expect(ids(answer)).toEqual(["c", "b", "a"]);
  });

  test("scores the first candidates only while inference is behind, and puts the rest behind them", async () => {
    const { deps } = house();
    const asked: number[] = [];
    const { serving } = house({
      scorer: {
        ...deps.scorer,
        candidatesMax: () => 2,
        score: (model, encoded, deadline) => {
          asked.push(encoded.candidateCount);
          return deps.scorer.score(model, encoded, deadline);
        },
      },
    });
    const answer = await serving.rank(request, 0);
    expect(asked).toEqual([2]);
    // Of the first two the last is the best; the third was not scored.
    expect(ids(answer)).toEqual(["b", "a", "c"]);
    expect(answer.items.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(answer.items[2]).toMatchObject({ score: 0, tasks: {} });
    expect(answer.degraded).toEqual(["truncated:1"]);
    expect(ids(await serving.rank({ ...request, limit: 1 }, 0))).toEqual(["b"]);
  });

  test("compares no shadow with scores of the first candidates only", async () => {
    const shadow = { model: { name: "home-kd" }, share: 1, topK: 10 };
    const surface = { defaultModel: { name: "home-control" }, timeoutMs: 50, shadow };
    const offered: AnsweredRequest[] = [];
    const { deps } = house();
    for (const most of [3, 2]) {
      const { serving } = house({
        surfaces: new Map([["home", surface]]),
        shadows: {
          begin: () => {},
          end: () => {},
          offer: (answered: AnsweredRequest) => offered.push(answered),
        } as unknown as NonNullable<ServingDependencies["shadows"]>,
        scorer: { ...deps.scorer, candidatesMax: () => most },
      });
      await serving.rank(request, 0);
    }
    expect(offered.map(({ served }) => served?.candidates.length)).toEqual([3, undefined]);
  });

  test("gives what was not scored no score above that of the last one that was", async () => {
    const { deps } = house();
    const { serving } = house({
      scorer: {
        ...deps.scorer,
        candidatesMax: () => 2,
        resolve: (ref) => ({
          ...model(ref.name),
          valueModel: { kind: "weighted-sum", weights: { click: -1 } },
        }),
      },
    });
    const scores = (await serving.rank(request, 0)).items.map(({ score }) => score);
    expect(scores[1]).toBeLessThan(0);
    expect(scores[2]).toBe(scores[1]);
  });

  test("is answered even where the log refuses the impression, which is then counted", async () => {
    const { deps } = house();
    const { serving, dropped } = house({
      log: {
        ...deps.log,
        appendImpression: async () => {
          throw new SetlistError("UNAVAILABLE", "disk full");
        },
      },
    });
    expect(ids(await serving.rank(request, 0))).toEqual(["c", "b", "a"]);
    expect(dropped).toEqual(["made"]);
  });

  test("gets the least of its own, the transport's and the surface's deadline", async () => {
    const deadlines: number[] = [];
    const { deps } = house();
    const { serving } = house({
      scorer: {
        ...deps.scorer,
        score: (ref, encoded, deadline) => {
          deadlines.push(deadline);
          return deps.scorer.score(ref, encoded, deadline);
        },
      },
    });
    await serving.rank(request, 1000);
    await serving.rank({ ...request, timeoutMs: 20 }, 1000);
    await serving.rank({ ...request, timeoutMs: 20 }, 1000, 10);
    expect(deadlines).toEqual([1050, 1020, 1010]);
  });

  test("explains every experiment's decision only where it is asked to", async () => {
    const { serving } = house();
    expect((await serving.rank({ ...request, explain: true }, 0)).decisions).toEqual([]);
  });
});

describe("an outcome batch", () => {
  const good = { outcomeId: "o1", requestId: "r1", itemId: "a", type: "click" };

  test("is taken one by one: wrong outcomes are rejected by their index, naming the field", async () => {
    const { serving } = house();
    const receipt = await serving.recordOutcomes([
      good,
      { ...good, outcomeId: "" },
      { ...good, occurredAt: "yesterday" },
      { ...good, type: "x".repeat(65) },
      { ...good, value: Number.NaN },
      { ...good, valeu: 2 },
      null,
      { ...good, itemId: "\ud800" },
      { ...good, occurredAt: "2026-11-22T08:00:00" },
      { ...good, outcomeId: "o2", occurredAt: "2026-11-22T08:00:00.000+01:00", value: -2.5 },
    ]);
    expect(receipt.accepted).toBe(2);
    expect(receipt.rejected.map((one) => one.index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(receipt.rejected.map((one) => one.detail.split(":")[0])).toEqual([
      "outcomeId",
      "occurredAt",
      "type",
      "value",
      "valeu",
      "outcome",
      "itemId",
      "occurredAt",
    ]);
  });

  test("counts 64 characters as people do, not as UTF-16 does", async () => {
    const { serving } = house();
    expect((await serving.recordOutcomes([{ ...good, type: "🎵".repeat(64) }])).accepted).toBe(1);
    expect((await serving.recordOutcomes([{ ...good, type: "🎵".repeat(65) }])).accepted).toBe(0);
  });

  test("is refused whole where it is empty or too long", async () => {
    const { serving } = house();
    await expect(serving.recordOutcomes([])).rejects.toThrow("outcomes: expected 1 to 1000");
    await expect(serving.recordOutcomes(Array(1001).fill(good))).rejects.toThrow("got 1001");
  });
});

describe("a rank request that nobody waits for any more", () => {
  const gone = new Error("the client went away");

  test("is not scored, nor logged as shown, and lets go of what it held", async () => {
    const leaving = new AbortController();
    let released = 0;
    let scored = 0;
    const { deps } = house();
    const { serving, logged, ranked, fallbacks } = house({
      features: {
        ...deps.features,
        encode: async () => {
          leaving.abort(gone);
          return { ...emptyRequest, release: () => released++ };
        },
      },
      scorer: {
        ...deps.scorer,
        score: async () => {
          scored++;
          throw new Error("unused");
        },
      },
    });
    await expect(serving.rank(request, 0, undefined, leaving.signal)).rejects.toBe(gone);
    expect({ released, scored, logged, ranked, fallbacks }).toEqual({
      released: 1,
      scored: 0,
      logged: [],
      ranked: [],
      fallbacks: [],
    });
  });

  test.each([
    ["is given up by the scorer", true],
    ["was scored nevertheless", false],
  ])("is not logged as shown where it %s", async (_name, givesUp) => {
    const leaving = new AbortController();
    const { deps } = house();
    const seen: (AbortSignal | undefined)[] = [];
    const { serving, logged, ranked, fallbacks } = house({
      scorer: {
        ...deps.scorer,
        score: async (scoredModel, encoded, deadline, signal) => {
          seen.push(signal);
          leaving.abort(gone);
          if (givesUp) throw new SetlistError("UNAVAILABLE", "given up");
          return deps.scorer.score(scoredModel, encoded, deadline);
        },
      },
    });
    await expect(serving.rank(request, 0, undefined, leaving.signal)).rejects.toBe(gone);
    expect(seen).toEqual([leaving.signal]);
    expect([logged, ranked, fallbacks]).toEqual([[], [], []]);
  });
});
