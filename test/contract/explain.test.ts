import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { ValueModelOverride } from "../../src/domain/model.ts";
import { type Doors, openDoors, testExperiment } from "../support/doors.ts";
import { storeOf } from "../support/experiment-store.ts";
import { rankMessage } from "../support/rank-message.ts";

const valueModel: ValueModelOverride = {
  kind: "weighted-sum",
  weights: { click: 2, completion: 1 },
  powers: { completion: 0.5 },
};
const diversity = [{ by: "artist", decay: 0.5, floor: 0.25 }];
const artists: Record<string, string> = { t1: "a1", t2: "a1", t3: "a1" };
const arm: Experiment["arms"][number] = {
  id: "control",
  control: true,
  weight: 1,
  model: { name: "home-control" },
  valueModel: { diversity },
};

let doors: Doors;
let asked: { feature: string; ids: readonly string[] }[] = [];
beforeAll(async () => {
  const { assigner } = assignTo(arm);
  doors = await openDoors({
    ports: {
      assigner,
      surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 1_000, valueModel }]]),
      itemLabels: {
        labels: async (feature, ids) => {
          asked.push({ feature, ids });
          return ids.map((id) => artists[id]);
        },
      },
    },
  });
});
afterAll(() => doors.close());

const request = {
  requestId: "r1",
  surface: "home",
  user: { id: "u1" },
  candidates: [
    { id: "t1" },
    { id: "t2" },
    { id: "t3" },
    { id: "t4", features: { artist: "a4" } },
    { id: "t5" },
  ],
  explain: true,
};

/** By the definition, of the probabilities that the doors' scorer gives to the n-th candidate. */
function expected(n: number, key: string | undefined, repeats: number) {
  const [click, completion] = [Math.fround((2 * n + 1) / 10_000), Math.fround((2 * n + 2) / 10_000)];
  const parts = { click: 2 * click, completion: completion ** 0.5 };
  const fused = parts.click + parts.completion;
  const factor = 0.25 + 0.75 * 0.5 ** repeats;
  const score = fused * factor;
  const step = {
    step: "diversity",
    by: "artist",
    ...(key === undefined ? {} : { key }),
    repeats,
    factor,
    score,
  };
  return {
    id: `t${n + 1}`,
    score,
    tasks: { click, completion },
    explanation: { parts, fused, steps: [step] },
  };
}

const answer = {
  items: [
    expected(4, undefined, 0),
    expected(3, "a4", 0),
    expected(2, "a1", 0),
    expected(1, "a1", 1),
    expected(0, "a1", 2),
  ],
  valueModel: { ...valueModel, diversity },
  valueModelOrigin: { fusion: "surface", diversity: "arm" },
};

describe("an explained ranking says each task's part, what every step did, and whose value model it is:", () => {
  test("over HTTP", async () => {
    const { body } = await doors.post("/v1/rank", request);
    expect(body).toMatchObject(answer);
    expect(body["items"]).toEqual(answer.items);
  });

  test("over gRPC the same", async () => {
    const got = await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));
    expect(got.code).toBe("OK");
    expect(got.message).toMatchObject(answer);
  });
});

test("who does not ask gets the same order and no word more", async () => {
  const { explain: _, ...plain } = request;
  const overHttp = (await doors.post("/v1/rank", plain)).body;
  const overGrpc = (await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(plain))).message;
  const items = answer.items.map(({ id, score, tasks }) => ({ id, score, tasks }));
  expect(overHttp["items"]).toEqual(items);
  expect(overGrpc["items"]).toMatchObject(items);
  for (const name of ["valueModel", "valueModelOrigin", "decisions"])
    expect(overHttp).not.toHaveProperty(name);
});

test("the store is asked for what the request does not bring, and only where items are compared", async () => {
  asked = [];
  await doors.post("/v1/rank", request);
  expect(asked).toEqual([{ feature: "artist", ids: ["t1", "t2", "t3", "t5"] }]);

  const without = await openDoors({
    ports: {
      itemLabels: { labels: () => Promise.reject(new Error("nobody should ask")) },
    },
  });
  const { body } = await without.post("/v1/rank", request);
  await without.close();
  expect(body["degraded"]).toEqual([]);
});

test("without the store the order stands by what the request brings, and the answer says so", async () => {
  const { assigner } = assignTo(arm);
  const failing = await openDoors({
    ports: {
      assigner,
      itemLabels: { labels: () => Promise.reject(new Error("the store is gone")) },
    },
  });
  const candidates = ["t1", "t2", "t3"].map((id) => ({ id, features: { artist: "a1" } }));
  const { body } = await failing.post("/v1/rank", { ...request, candidates: [...candidates, { id: "t4" }] });
  await failing.close();
  expect(body["degraded"]).toEqual(["feature-store-unavailable"]);
  const items = body["items"] as { explanation: { steps: { repeats: number }[] } }[];
  expect(items.map(({ explanation }) => explanation.steps[0]?.repeats)).toEqual([0, 0, 1, 2]);
});

test("an arm's value model is shown with its experiment, over both", async () => {
  const experiment: Experiment = {
    ...testExperiment,
    arms: [{ ...arm, valueModel: { ...valueModel, diversity } }],
  };
  const shown = await openDoors({
    experiments: storeOf([experiment]),
  });
  const overHttp = await shown.get("/v1/experiments/home-kd");
  const overGrpc = await shown.grpc.call("setlist.v1.ExperimentService", "Get", { id: "home-kd" });
  await shown.close();
  expect(overHttp.body["arms"]).toEqual(experiment.arms);
  expect(overGrpc.message["arms"]).toMatchObject(experiment.arms);
});

test("an arm that says that there is no diversity can be told over gRPC from one that says nothing of it", async () => {
  const experiment: Experiment = {
    ...testExperiment,
    arms: [
      { ...arm, id: "none", valueModel: { diversity: [] } },
      { ...arm, id: "silent", valueModel },
      { ...arm, id: "some", valueModel: { diversity } },
      { ...arm, id: "model's", valueModel: undefined },
    ],
  };
  const revision = {
    document: experiment,
    hash: undefined,
    who: "configuration",
    at: 0,
    what: "created",
  } as const;
  const shown = await openDoors({
    experiments: storeOf([experiment], [revision]),
  });
  const call = (method: string) =>
    shown.grpc.call("setlist.v1.ExperimentService", method, method === "List" ? {} : { id: "home-kd" });
  const [got, listed, history] = [await call("Get"), await call("List"), await call("History")];
  await shown.close();
  type Arms = { arms: { valueModel: { noDiversity: boolean } | null }[] };
  const [one] = listed.message["experiments"] as Arms[];
  const [first] = history.message["revisions"] as { experiment: Arms }[];
  for (const { arms } of [got.message as unknown as Arms, one as Arms, first?.experiment as Arms]) {
    expect(arms.map(({ valueModel: shownOne }) => shownOne?.noDiversity)).toEqual([
      true,
      false,
      false,
      undefined,
    ]);
  }
});

/** Gives everyone one arm. */
function assignTo(one: Experiment["arms"][number]) {
  const assignment = {
    experiment: "home-kd",
    arm: one.id,
    layer: "home-ranker",
    phase: 1,
    unit: "u1",
    propensity: 1,
    overridden: false,
  };
  return {
    assigner: () => ({
      assign: () => [assignment],
      explain: () => [],
      decide: () => undefined,
      decideAll: () => [],
      experiments: [],
      armOf: () => one,
      experimentOf: () => testExperiment,
      isToBeKept: () => false,
    }),
  };
}
