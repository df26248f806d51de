import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";
import type { Comparison } from "../../src/domain/outcome-log.ts";
import type { RankRequest } from "../../src/domain/rank.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { type AnsweredRequest, type ShadowDependencies, Shadows } from "../../src/serving/shadows.ts";
import { emptyRequest } from "../support/encoded-request.ts";
import { counterfactualOf } from "../support/log-records.ts";
import { modelWith } from "../support/ranking-model.ts";

const valueModel = { kind: "weighted-sum" as const, weights: { click: 1 } };
const control = modelWith({ tasks: ["click"], valueModel });
const shadowModel = { ...control, name: "home-kd", version: "2" };

function requestOf(requestId: string, count = 4): RankRequest {
  const nothing = {};
  return {
    requestId,
    surface: "home",
    user: { id: "u1", attributes: nothing, features: nothing },
    context: { attributes: nothing, features: nothing },
    candidates: Array.from({ length: count }, (_, i) => ({ id: `t${i}` })),
    limit: 2,
    timeoutMs: undefined,
    explain: false,
  };
}

/** An answer of the control, which gave the candidates 0.1, 0.2, 0.3, 0.4. */
function answered(requestId: string, change: Partial<AnsweredRequest> = {}): AnsweredRequest {
  const request = requestOf(requestId);
  return {
    request,
    shadow: { model: { name: "home-kd" }, share: 1, topK: 2 },
    served: {
      candidates: request.candidates,
      probabilities: Float32Array.of(0.125, 0.25, 0.375, 0.5),
      model: control,
      limit: 2,
    },
    surface: undefined,
    arm: undefined,
    ...change,
  };
}

/** Shadows over plain values, and what they reported. */
function house(
  change: {
    readonly scorer?: Partial<ShadowDependencies["scorer"]>;
    readonly features?: ShadowDependencies["features"];
    readonly log?: ShadowDependencies["log"];
  } = {},
) {
  const settled: string[] = [];
  const errors: unknown[] = [];
  const compared: Comparison[] = [];
  const logged: Comparison[] = [];
  const shadows = new Shadows({
    clock: { now: () => 77, monotonic: () => 0 },
    scorer: {
      resolve: () => shadowModel,
      candidatesMax: () => Number.POSITIVE_INFINITY,
      // The first two change places.
      scoreSpare: async () => Float32Array.of(0.25, 0.125, 0.375, 0.5),
      ...change.scorer,
    },
    features: change.features ?? {
      encode: async (_model, { candidates }) => ({ ...emptyRequest, candidateCount: candidates.length }),
    },
    log: change.log ?? { appendShadow: async (comparison) => void logged.push(comparison) },
    observer: {
      compared: (comparison) => compared.push(comparison),
      settled(_surface, result, requestId, error) {
        settled.push(`${requestId} ${result}`);
        if (error !== undefined) errors.push(error);
      },
      settledOtherArm(experiment, result, requestId, error) {
        settled.push(`${experiment} ${requestId} ${result}`);
        if (error !== undefined) errors.push(error);
      },
    },
  });
  /** Ranks as serving does: what is offered comes before the end. */
  const rank = (one: AnsweredRequest): void => {
    shadows.begin();
    shadows.offer(one);
    shadows.end();
  };
  return { shadows, rank, settled, errors, compared, logged };
}

/** Long enough for whatever is not held up. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 500; turn++) await nextTurn();
}

describe("the share", () => {
  test("is decided by the request's id alone: a larger share takes what a smaller one took, and more", () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (id, share) => {
        expect(isInShare(share, id)).toBe(share === 1 || murmur3(`shadow:${id}`) / 2 ** 32 < share);
        expect(isInShare(0, id)).toBe(false);
        expect(isInShare(1, id)).toBe(true);
      }),
    );
  });

  test("is about as large as it says", () => {
    // A surface's shadow and an experiment's other arms are not asked about the same requests.
    const both = Array.from({ length: 20_000 }, (_, i) => `request-${i}`).filter(
      (id) => isInShare(0.3, id) && isInShare(0.3, id, "counterfactual"),
    );
    expect(Math.abs(both.length / 20_000 - 0.09)).toBeLessThan(0.02);
    const taken = Array.from({ length: 20_000 }, (_, i) => isInShare(0.3, `request-${i}`)).filter(Boolean);
    // Ten standard errors.
    expect(Math.abs(taken.length / 20_000 - 0.3)).toBeLessThan(0.033);
  });
});

describe("a request that was answered", () => {
  test("is compared with what served it, reported and logged", async () => {
    const { rank, settled, compared, logged } = house();
    rank(answered("r1"));
    await quiet();
    expect(compared).toEqual([
      {
        kind: "shadow",
        requestId: "r1",
        at: 77,
        surface: "home",
        model: { name: "home-control", version: "1" },
        shadow: { name: "home-kd", version: "2" },
        candidateCount: 4,
        tau: expect.closeTo(2 / 3, 12),
        topK: 2,
        overlap: 1,
        scoreDifference: 0.0625,
      },
    ]);
    expect(logged).toEqual(compared);
    expect(settled).toEqual(["r1 compared"]);
  });

  test("is scored in a later turn of the event loop than its answer left in, and not while others are ranked", async () => {
    const { shadows, settled } = house();
    shadows.begin();
    shadows.begin();
    shadows.offer(answered("r1"));
    shadows.end();
    await quiet();
    expect(settled).toEqual([]);
    shadows.end();
    await Promise.resolve();
    expect(settled).toEqual([]);
    await quiet();
    expect(settled).toEqual(["r1 compared"]);
  });

  test("has the value model of the surface and of its arm over the shadow model's too", async () => {
    const both = ["click", "like"];
    const two = { ...shadowModel, tasks: both };
    const { rank, compared } = house({
      scorer: {
        resolve: () => two,
        scoreSpare: async () => Float32Array.of(0, 0.5, 0, 0.375, 0, 0.25, 0, 0.125),
      },
    });
    const arm = { kind: "weighted-sum" as const, weights: { like: 2 } };
    const served = answered("r1").served as NonNullable<AnsweredRequest["served"]>;
    rank(answered("r1", { arm, served: { ...served, plan: undefined } }));
    await quiet();
    expect(compared[0]).toMatchObject({ tau: -1, overlap: 0 });
    // 1, 0.75, 0.5 and 0.25 against 0.125, 0.25, 0.375 and 0.5.
    expect(compared[0]).toMatchObject({
      scoreDifference: expect.closeTo((0.875 + 0.5 + 0.125 + 0.25) / 4, 12),
    });
  });

  test.each([
    ["no model scored whole", { served: undefined }, {}],
    ["the shadow model itself served", {}, { scorer: { resolve: () => control } }],
    [
      "the store could not be asked",
      {},
      { features: { encode: async () => ({ ...emptyRequest, storeUnavailable: true }) } },
    ],
  ])("that %s is skipped", async (_why, change, parts) => {
    const { rank, settled, compared } = house(parts);
    rank(answered("r1", change));
    await quiet();
    expect(settled).toEqual(["r1 skipped"]);
    expect(compared).toEqual([]);
  });

  test("whose comparison the log refuses is counted as that", async () => {
    const full = new SetlistError("UNAVAILABLE", "the disk refuses");
    const { rank, settled, compared, errors } = house({
      log: {
        appendShadow: async () => {
          throw full;
        },
      },
    });
    rank(answered("r1"));
    await quiet();
    expect(settled).toEqual(["r1 unlogged"]);
    expect(compared).toHaveLength(1);
    expect(errors).toEqual([full]);
  });
});

describe("a shadow model that", () => {
  const throwing = (error: Error) => async () => {
    throw error;
  };
  test.each([
    ["is gone", { scorer: { resolve: () => undefined } }, "no model home-kd is loaded"],
    ["fails", { scorer: { scoreSpare: throwing(new SetlistError("UNAVAILABLE", "broken")) } }, "broken"],
    [
      "another request's features do not fit",
      { features: { encode: throwing(new Error("unfit")) } },
      "unfit",
    ],
    ["answers for too few", { scorer: { scoreSpare: async () => new Float32Array(3) } }, "3 probabilities"],
  ])("%s fails its request alone", async (_what, parts, message) => {
    const { rank, settled, errors, logged } = house(parts);
    rank(answered("r1"));
    await quiet();
    expect(settled).toEqual(["r1 failed"]);
    expect(String(errors[0])).toContain(message);
    expect(logged).toEqual([]);
    rank(answered("r2"));
    await quiet();
    expect(settled).toEqual(["r1 failed", "r2 failed"]);
  });

  test("lacks a task that the arm weighs is not scored by half of the arm's rules", async () => {
    const { rank, settled, errors } = house();
    rank(answered("r1", { arm: { kind: "weighted-sum", weights: { clik: 2 } } }));
    await quiet();
    expect(settled).toEqual(["r1 failed"]);
    expect(String(errors[0])).toContain("the arm's valueModel.weights.clik: expected a task of home-kd/2");
  });
});

describe("another arm's place", () => {
  const otherArm = { experiment: "home-kd", phase: 2, served: "control", other: "kd" };
  const shadow = { model: { name: "home-kd" }, share: 0.25, topK: 3 };

  test("is taken for the log: its best in their order, and where the two lists part", async () => {
    const { rank, settled, compared, logged } = house({
      scorer: { scoreSpare: async () => Float32Array.of(0.25, 0.375, 0.125, 0.5) },
    });
    rank(answered("r1", { otherArm, shadow }));
    await quiet();
    expect(logged).toEqual([
      counterfactualOf("r1", {
        at: 77,
        phase: 2,
        propensity: 0.25,
        candidateCount: 4,
        topK: 3,
        // t3, t2, t1 were served.
        overlap: 2 / 3,
        agreeing: 1,
        otherIds: ["t3", "t1", "t0"],
      }),
    ]);
    expect(compared).toEqual(logged);
    expect(settled).toEqual(["home-kd r1 compared"]);
  });

  test("costs no scoring where its arm differs by its value model alone", async () => {
    const { rank, logged } = house({
      scorer: {
        resolve: () => control,
        scoreSpare: async () => {
          throw new Error("nobody should ask");
        },
      },
    });
    rank(answered("r1", { otherArm, shadow, arm: { kind: "weighted-sum", weights: { click: -1 } } }));
    await quiet();
    expect(logged).toMatchObject([{ otherIds: ["t0", "t1", "t2"], agreeing: 0, overlap: 2 / 3 }]);
  });

  test.each([
    ["skipped", { served: undefined }, {}],
    ["failed", {}, { scorer: { resolve: () => undefined } }],
  ])(
    "is %s, and counted by the experiment, as a shadow's is by its surface",
    async (result, change, parts) => {
      const { rank, settled } = house(parts);
      rank(answered("r1", { otherArm, shadow, ...change }));
      await quiet();
      expect(settled).toEqual([`home-kd r1 ${result}`]);
    },
  );
});

describe("under load", () => {
  test("a shadow gives way where no worker is to spare", async () => {
    const busy = new SetlistError("RESOURCE_EXHAUSTED", "no inference worker is to spare");
    const { rank, settled } = house({
      scorer: {
        scoreSpare: async () => {
          throw busy;
        },
      },
    });
    rank(answered("r1"));
    await quiet();
    expect(settled).toEqual(["r1 dropped"]);
  });

  test("only the newest wait, and the oldest are dropped first", async () => {
    const { shadows, settled } = house();
    shadows.begin();
    for (let i = 0; i < 35; i++) shadows.offer(answered(`r${i}`));
    expect(settled).toEqual(["r0 dropped", "r1 dropped", "r2 dropped"]);
    shadows.end();
    await quiet();
    expect(settled.slice(3)).toEqual(Array.from({ length: 32 }, (_, i) => `r${i + 3} compared`));
  });

  test("all that wait are dropped once inference is behind", async () => {
    let scored = Number.POSITIVE_INFINITY;
    const { shadows, settled } = house({ scorer: { candidatesMax: () => scored } });
    shadows.begin();
    shadows.offer(answered("r1"));
    shadows.offer(answered("r2"));
    scored = 50;
    shadows.offer(answered("r3"));
    expect(settled).toEqual(["r1 dropped", "r2 dropped", "r3 dropped"]);
    shadows.end();
    await quiet();
    expect(settled).toHaveLength(3);
  });

  test("one for which a request came while its features were read has its turn behind that request", async () => {
    const reading = Promise.withResolvers<void>();
    let encoded = 0;
    const released: number[] = [];
    const { shadows, rank, settled } = house({
      features: {
        encode: async () => {
          const number = ++encoded;
          await reading.promise;
          return { ...emptyRequest, candidateCount: 4, release: () => released.push(number) };
        },
      },
    });
    rank(answered("r1"));
    await quiet();
    shadows.begin();
    reading.resolve();
    await quiet();
    expect({ encoded, released, settled }).toEqual({ encoded: 1, released: [1], settled: [] });
    shadows.end();
    await quiet();
    expect({ encoded, settled }).toEqual({ encoded: 2, settled: ["r1 compared"] });
  });
});

test("at a stop, what waits is dropped and what is being compared is finished", async () => {
  const scoring = Promise.withResolvers<Float32Array>();
  const { shadows, rank, settled, logged } = house({ scorer: { scoreSpare: () => scoring.promise } });
  for (const id of ["r1", "r2", "r3"]) rank(answered(id));
  await quiet();
  let isClosed = false;
  const closed = shadows.close().then(() => {
    isClosed = true;
  });
  await quiet();
  expect(settled).toEqual(["r2 dropped", "r3 dropped"]);
  expect(isClosed).toBe(false);
  rank(answered("r4"));
  scoring.resolve(Float32Array.of(1, 2, 3, 4));
  await closed;
  expect(settled).toEqual(["r2 dropped", "r3 dropped", "r4 dropped", "r1 compared"]);
  expect(logged).toHaveLength(1);
});
