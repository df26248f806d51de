import { describe, expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { defaultLimits } from "../../src/domain/limits.ts";
import type { DegradedReason, RankAnswer } from "../../src/domain/rank.ts";
import type { Scorer } from "../../src/domain/scorer.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { createServing, type ServingDependencies } from "../../src/serving/serving.ts";
import type { AnsweredRequest } from "../../src/serving/shadows.ts";
import { emptyRequest } from "../support/encoded-request.ts";
import { arm, experimentWith } from "../support/experiments.ts";
import { modelWith } from "../support/ranking-model.ts";

const valueModel = { kind: "weighted-sum" as const, weights: { click: 1 } };
const model = (name: string) => ({ ...modelWith({ tasks: ["click"], valueModel }), name });
const models = new Map(["home-control", "home-treated"].map((name) => [name, model(name)]));
const candidateIds = Array.from({ length: 12 }, (_, i) => `t${i}`);

/** A server of one experiment: the control likes the last candidate best, the treated arm the first one. */
function house(
  experiment: Experiment,
  parts: Partial<ServingDependencies> & { score?: Scorer["score"] } = {},
) {
  const logged: Impression[] = [];
  const fallbacks: DegradedReason[] = [];
  const scored: string[] = [];
  const offered: AnsweredRequest[] = [];
  let encoded = 0;
  let released = 0;
  const assigner = compileAssigner([experiment]);
  const { score, ...others } = parts;
  const serving = createServing({
    surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 50 }]]),
    assigner: () => assigner,
    features: {
      encode: async (_model, { candidates }) => {
        encoded += 1;
        return { ...emptyRequest, candidateCount: candidates.length, release: () => void released++ };
      },
      close: async () => {},
    },
    scorer: {
      resolve: ({ name }) => models.get(name),
      candidatesMax: () => Number.POSITIVE_INFINITY,
      models: () => [],
      execution: () => undefined,
      score: async (asked, request, deadline) => {
        scored.push(asked.name);
        if (score !== undefined) return score(asked, request, deadline);
        return scoresOf(asked.name, request.candidateCount);
      },
      scoreSpare: async () => new Float32Array(0),
      close: async () => {},
    },
    log: {
      appendImpression: async (impression) => void logged.push(impression),
      appendOutcomes: async () => ({ accepted: 0, duplicates: 0, unmatched: 0 }),
      appendShadow: async () => {},
      close: async () => {},
    },
    observer: {
      ranked: () => {},
      fellBack: (reason) => fallbacks.push(reason),
      impressionDropped: () => {},
      outcomes: () => {},
      evaluated: () => {},
      exposed: () => {},
    },
    clock: { now: () => 0, monotonic: () => 0 },
    concurrency: {
      isReached: () => false,
      isRefusing: () => false,
      begin: () => 0,
      end: () => {},
    } as unknown as ServingDependencies["concurrency"],
    limits: defaultLimits,
    newRequestId: () => "made",
    shadows: {
      begin: () => {},
      end: () => {},
      offer: (answered: AnsweredRequest) => offered.push(answered),
    } as unknown as NonNullable<ServingDependencies["shadows"]>,
    ...others,
  });
  const rank = (more: object = {}): Promise<RankAnswer> =>
    serving.rank({ surface: "home", user: { id: "u1" }, candidateIds, ...more }, 0);
  return { rank, logged, fallbacks, scored, offered, slots: () => ({ encoded, released }) };
}

function scoresOf(name: string, count: number) {
  const probabilities = Float32Array.from({ length: count }, (_, i) =>
    name === "home-control" ? i / 100 : (count - i) / 100,
  );
  return { probabilities, queueMs: name === "home-control" ? 1 : 4, inferenceMs: 2 };
}

const interleaving = experimentWith({ kind: "interleave" });
const ids = ({ items }: RankAnswer): string[] => items.map(({ id }) => id);
const falling = candidateIds.toReversed();

describe("an interleaved request", () => {
  test("is scored by both arms, and logged with the team of every item", async () => {
    const { rank, logged, scored } = house(interleaving);
    const answer = await rank({ limit: 6 });
    expect(scored).toEqual(["home-control", "home-treated"]);
    expect(answer.assignments).toMatchObject([{ experiment: "exp", arm: "interleaved", propensity: 1 }]);
    expect(answer.model).toEqual({ name: "home-control", version: "1" });
    expect(answer.degraded).toEqual([]);
    expect(answer.items.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    // What ran side by side took as long as the slower of the two.
    expect(answer.timings).toMatchObject({ queue: 4, inference: 2 });
    const [impression] = logged;
    expect(impression?.interleaving).toMatchObject({
      id: "made",
      arms: [
        { arm: "control", model: { name: "home-control", version: "1" } },
        { arm: "treated", model: { name: "home-treated", version: "1" } },
      ],
    });
    const teams = impression?.interleaving?.slots.map(({ team }) => team) ?? [];
    const of = (team: string) => ids(answer).filter((_, at) => teams[at] === team);
    expect(of("control")).toEqual(falling.slice(0, 3));
    expect(of("treated")).toEqual(candidateIds.slice(0, 3));
    expect(impression?.interleaving?.slots.every(({ competitive }) => competitive)).toBe(true);
    expect(answer.interleaving).toBeUndefined();
  });

  test("has what would have come next logged as not shown, and the draft as it is without that", async () => {
    const asked = { requestId: "r1", limit: 3, explain: true };
    const plain = house(interleaving);
    const more = house(interleaving, { candidatesBeyondLimit: 2, servedFeatures: { share: 1 } });
    const answer = await more.rank(asked);
    expect({ ...answer, timings: {} }).toEqual({ ...(await plain.rank(asked)), timings: {} });
    const five = house(interleaving);
    await five.rank({ ...asked, limit: 5 });
    expect(more.logged[0]?.beyondLimit).toEqual(five.logged[0]?.items.slice(3));
    expect(more.logged[0]?.interleaving).toEqual(plain.logged[0]?.interleaving);
    const models = more.logged[0]?.interleaving?.arms.map(({ model }) => model);
    expect(more.logged[0]?.served?.map(({ model, rows }) => ({ model, rows }))).toEqual(
      models?.map((model) => ({ model, rows: 5 })),
    );
  });

  test("is drafted alike for one unit and one interleaveId, whatever its requestId and its limit", async () => {
    const { rank } = house(interleaving);
    const page = { interleaveId: "page" };
    const whole = ids(await rank({ ...page, requestId: "r1" }));
    for (const limit of [1, 4, 11]) {
      expect(ids(await rank({ ...page, requestId: `r-${limit}`, limit }))).toEqual(whole.slice(0, limit));
    }
    expect(ids(await rank({ requestId: "page" }))).toEqual(whole);
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 20; i++) firsts.add(ids(await rank({ requestId: `r${i}` }))[0]);
    expect(firsts).toEqual(new Set(["t0", "t11"]));
  });

  test("explains each item by the arm that picked it, and both arms' value models", async () => {
    const treatedModel = { kind: "weighted-sum" as const, weights: { click: 2 } };
    const arms = [arm("control"), arm("treated", { valueModel: treatedModel })];
    const { rank } = house(experimentWith({ kind: "interleave", arms }));
    const { interleaving: explained, items, explanation } = await rank({ explain: true, limit: 8 });
    expect(explanation).toBeUndefined();
    expect(explained?.arms).toMatchObject([
      { arm: "control", valueModel: { weights: { click: 1 } }, origin: { fusion: "model" } },
      { arm: "treated", valueModel: { weights: { click: 2 } }, origin: { fusion: "arm" } },
    ]);
    expect(items).toHaveLength(8);
    for (const [at, { score, tasks }] of items.entries()) {
      const factor = explained?.slots[at]?.team === "treated" ? 2 : 1;
      expect(score).toBeCloseTo(factor * (tasks["click"] as number), 12);
      expect(explained?.items[at]).toMatchObject({ fused: score, parts: { click: score } });
    }
  });

  test("names the control's model, wherever in the document the control stands", async () => {
    const { rank } = house(experimentWith({ kind: "interleave", arms: [arm("treated"), arm("control")] }));
    expect((await rank()).model?.name).toBe("home-control");
  });

  test("gives the scoring of both arms its deadline", async () => {
    const deadlines: number[] = [];
    const { rank } = house(interleaving, {
      score: async ({ name }, { candidateCount }, deadline) => {
        deadlines.push(deadline);
        return scoresOf(name, candidateCount);
      },
    });
    await rank({ timeoutMs: 20 });
    expect(deadlines).toEqual([20, 20]);
  });

  test("of arms that differ by their value models alone is scored once", async () => {
    const turned = { kind: "weighted-sum" as const, weights: { click: -1 } };
    const arms = [arm("control"), arm("treated", { model: { name: "home-control" }, valueModel: turned })];
    const { rank, scored, slots } = house(experimentWith({ kind: "interleave", arms }));
    const answer = await rank({ limit: 2 });
    expect(scored).toEqual(["home-control"]);
    expect(slots().encoded).toBe(1);
    expect(new Set(ids(answer))).toEqual(new Set(["t0", "t11"]));
  });

  test("of a unit that is forced into an arm is that arm's alone", async () => {
    const { rank, logged } = house(experimentWith({ kind: "interleave", overrides: { u1: "treated" } }));
    expect(ids(await rank())).toEqual(candidateIds);
    expect(logged[0]?.interleaving).toBeUndefined();
    expect(logged[0]?.assignments).toMatchObject([{ arm: "treated", overridden: true }]);
  });

  test("is no request that a shadow model or another arm could be compared with", async () => {
    const shadow = { model: { name: "home-treated" }, share: 1, topK: 10 };
    const surface = { defaultModel: { name: "home-control" }, timeoutMs: 50, shadow };
    const { rank, offered } = house(interleaving, { surfaces: new Map([["home", surface]]) });
    await rank();
    expect(offered).toMatchObject([{ served: undefined, shadow }]);
  });
});

describe("where an arm has no list, an interleaved answer is the other's alone, and says why:", () => {
  const failing = (name: string, code: "DEADLINE_EXCEEDED" | "RESOURCE_EXHAUSTED" | "UNAVAILABLE") =>
    house(interleaving, {
      score: async (asked, { candidateCount }) => {
        if (asked.name === name) throw new SetlistError(code, "scoring failed");
        return scoresOf(asked.name, candidateCount);
      },
    });

  test.each([
    ["home-control", "DEADLINE_EXCEEDED", "deadline", candidateIds],
    ["home-treated", "RESOURCE_EXHAUSTED", "overload", falling],
    ["home-treated", "UNAVAILABLE", "model-unavailable", falling],
  ] as const)("%s meets %s", async (name, code, reason, order) => {
    const { rank, logged, fallbacks } = failing(name, code);
    const answer = await rank({ explain: true, limit: 5 });
    expect(ids(answer)).toEqual(order.slice(0, 5));
    expect(answer.degraded).toEqual([reason, "one-arm"]);
    expect(answer.model?.name).not.toBe(name);
    expect(answer.interleaving).toBeUndefined();
    expect(answer.explanation?.items).toHaveLength(5);
    expect(fallbacks).toEqual([reason]);
    // The unit stays in its experiment: who gets a fallback is no matter of chance.
    expect(logged[0]?.assignments).toMatchObject([{ arm: "interleaved" }]);
    expect(logged[0]?.interleaving).toBeUndefined();
  });

  test("one arm's model is not loaded", async () => {
    const { rank, slots } = house(
      experimentWith({ kind: "interleave", arms: [arm("control"), arm("gone")] }),
    );
    const answer = await rank({ limit: 3 });
    expect(ids(answer)).toEqual(falling.slice(0, 3));
    expect(answer.degraded).toEqual(["model-unavailable", "one-arm"]);
    expect(slots().encoded).toBe(1);
  });

  test("neither has one: the order of arrival, with each reason once", async () => {
    const { rank, logged } = house(interleaving, {
      score: async ({ name }) => {
        throw new SetlistError(name === "home-control" ? "DEADLINE_EXCEEDED" : "UNAVAILABLE", "failed");
      },
    });
    const answer = await rank();
    expect(ids(answer)).toEqual(candidateIds);
    expect(answer.model).toBeUndefined();
    expect(answer.degraded).toEqual(["deadline", "model-unavailable"]);
    expect(logged[0]?.interleaving).toBeUndefined();
  });
});

test("while inference is behind, both arms score the same first candidates, and the rest has no team", async () => {
  const { rank, logged } = house(interleaving, {
    scorer: {
      resolve: ({ name }) => models.get(name),
      candidatesMax: () => 4,
      models: () => [],
      execution: () => undefined,
      score: async ({ name }, { candidateCount }) => scoresOf(name, candidateCount),
      scoreSpare: async () => new Float32Array(0),
      close: async () => {},
    },
  });
  const answer = await rank();
  expect(new Set(ids(answer).slice(0, 4))).toEqual(new Set(candidateIds.slice(0, 4)));
  expect(ids(answer).slice(4)).toEqual(candidateIds.slice(4));
  expect(answer.degraded).toEqual(["truncated:8"]);
  const slots = logged[0]?.interleaving?.slots ?? [];
  expect(slots).toHaveLength(12);
  expect(
    slots
      .slice(0, 4)
      .map(({ team }) => team)
      .sort(),
  ).toEqual(["control", "control", "treated", "treated"]);
  expect(slots.slice(4)).toEqual(Array(8).fill({ team: undefined, competitive: false }));
});

test("a feature that does not fit one of the models refuses the request, and holds nothing back", async () => {
  let released = 0;
  const { rank } = house(interleaving, {
    features: {
      encode: async ({ name }, { candidates }) => {
        if (name === "home-treated") throw new SetlistError("INVALID_ARGUMENT", "user.features.x: unfit");
        return { ...emptyRequest, candidateCount: candidates.length, release: () => void released++ };
      },
      close: async () => {},
    },
  });
  await expect(rank()).rejects.toThrow("user.features.x: unfit");
  expect(released).toBe(1);
});

describe("an experiment that logs what its other arms would have shown", () => {
  const valueModelOf = { kind: "weighted-sum" as const, weights: { click: 3 } };
  const arms = [arm("control"), arm("treated", { valueModel: valueModelOf }), arm("third", { weight: 0 })];
  const experiment = (share: number) =>
    experimentWith({ arms, counterfactual: { share, topK: 4 }, overrides: { qa: "treated" } });

  test("has every other arm score its share of the requests, each by its own rules", async () => {
    const { rank, offered } = house(experiment(1));
    const { assignments } = await rank({ requestId: "r1" });
    const served = assignments[0]?.arm as string;
    const others = arms.filter(({ id }) => id !== served);
    expect(offered).toMatchObject(
      others.map(({ id, model: one, valueModel: rules }) => ({
        request: { requestId: "r1" },
        shadow: { model: one, share: 1, topK: 4 },
        otherArm: { experiment: "exp", phase: 1, served, other: id },
        arm: rules,
      })),
    );
    expect(offered.every((one) => one.served !== undefined)).toBe(true);
  });

  test("has them score none of the rest, and none of a unit that was forced into its arm", async () => {
    const { rank, offered } = house(experiment(0.4));
    const requests = Array.from({ length: 50 }, (_, i) => `request-${i}`);
    for (const requestId of requests) await rank({ requestId });
    const taken = requests.filter((id) => isInShare(0.4, id, "counterfactual"));
    expect([...new Set(offered.map(({ request }) => request.requestId))]).toEqual(taken);
    const forced = house(experiment(1));
    await forced.rank({ user: { id: "qa" } });
    expect(forced.offered).toEqual([]);
  });
});
