import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { type Doors, httpCall, openDoors, testExperiment, testModel } from "../support/doors.ts";
import { storeOf } from "../support/experiment-store.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RankStreamClient, rankStreamClient } from "../support/rank-stream-client.ts";

const experiment: Experiment = { ...testExperiment, kind: "interleave", targeting: undefined };
const logging: Experiment = {
  ...testExperiment,
  id: "home-ab",
  attributionWindow: "7d",
  counterfactual: { share: 0.25, topK: 5 },
};

let doors: Doors;
let streams: RankStreamClient;
beforeAll(async () => {
  const assigner = compileAssigner([experiment]);
  doors = await openDoors({
    ports: {
      assigner: () => assigner,
      // The treated arm likes the first candidate best, the control the last one.
      scorer: {
        resolve: ({ name }) => ({ ...testModel, name }),
        candidatesMax: () => Number.POSITIVE_INFINITY,
        models: () => [testModel],
        execution: () => undefined,
        score: async ({ name }, { candidateCount }) => ({
          probabilities: Float32Array.from({ length: candidateCount * 2 }, (_, i) =>
            name === "home-control" ? i / 1_024 : (candidateCount * 2 - i) / 1_024,
          ),
          queueMs: 0,
          inferenceMs: 0,
        }),
        scoreSpare: async () => new Float32Array(0),
        close: async () => {},
      },
    },
    experiments: storeOf([experiment, logging]),
  });
  streams = rankStreamClient(doors.grpcAddress);
});
afterAll(async () => {
  streams.close();
  await doors.close();
});

const request = {
  requestId: "r1",
  interleaveId: "page-1",
  surface: "home",
  user: { id: "u1" },
  candidateIds: ["t1", "t2", "t3", "t4", "t5", "t6"],
  limit: 4,
};
type Answer = { items: { id: string; team: string; competitive: boolean }[]; [field: string]: unknown };

const ways: [string, (json: object) => Promise<Answer>][] = [
  ["HTTP", async (json) => (await doors.post("/v1/rank", json)).body as Answer],
  [
    "gRPC",
    async (json) =>
      (await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage({ ...json })))
        .message as Answer,
  ],
  [
    "a gRPC stream",
    async (json) => {
      const call = streams.open();
      await call.send(rankMessage({ ...json }));
      const [response] = await call.count(1);
      call.halfClose();
      return response?.answer as unknown as Answer;
    },
  ],
];

describe.each(ways)("over %s, an interleaved answer", (_way, rank) => {
  test("says with explain which arm picked what, and both models", async () => {
    const answer = await rank({ ...request, explain: true });
    expect(answer).toMatchObject({
      assignments: [{ experiment: "home-kd", arm: "interleaved", layer: "home-ranker" }],
      model: { name: "home-control", version: "1" },
      interleaving: {
        id: "page-1",
        competitiveSlots: 4,
        arms: [
          {
            arm: "control",
            model: { name: "home-control", version: "1" },
            valueModel: testModel.valueModel,
            valueModelOrigin: { fusion: "model", diversity: "model" },
          },
          { arm: "kd", model: { name: "home-kd", version: "1" }, valueModel: testModel.valueModel },
        ],
      },
    });
    const of = (team: string) => answer.items.filter((item) => item.team === team).map(({ id }) => id);
    expect(of("control")).toEqual(["t6", "t5"]);
    expect(of("kd")).toEqual(["t1", "t2"]);
    expect(answer.items.map(({ competitive }) => competitive)).toEqual([true, true, true, true]);
    for (const item of answer.items) expect(item).toMatchObject({ explanation: { steps: [] } });
  });

  test("says nothing of it to who does not ask, and has the same order", async () => {
    const plain = await rank(request);
    const explained = await rank({ ...request, explain: true });
    expect(plain.items.map(({ id }) => id)).toEqual(explained.items.map(({ id }) => id));
    expect(plain["interleaving"] ?? null).toBeNull();
    expect(plain.items.some(({ team }) => Boolean(team))).toBe(false);
  });

  test("goes by the interleaveId, and by the requestId where there is none", async () => {
    const order = async (ids: object) => (await rank({ ...request, ...ids })).items.map(({ id }) => id);
    expect(await order({ requestId: "r2" })).toEqual(await order({}));
    expect(await order({ requestId: "page-1", interleaveId: undefined })).toEqual(await order({}));
  });
});

test("every way gives one listener the same order", async () => {
  const orders = await Promise.all(
    ways.map(async ([, rank]) => (await rank(request)).items.map(({ id }) => id)),
  );
  expect(new Set(orders.map((order) => order.join())).size).toBe(1);
});

test("an experiment's kind, its attribution window and what it logs of its other arms are shown over HTTP and gRPC", async () => {
  const overHttp = async (id: string) => (await doors.get(`/v1/experiments/${id}`)).body;
  const overGrpc = async (id: string) =>
    (await doors.grpc.call("setlist.v1.ExperimentService", "Get", { id })).message;
  for (const shown of [overHttp, overGrpc]) {
    expect(await shown("home-kd")).toMatchObject({ kind: "interleave" });
    expect(await shown("home-ab")).toMatchObject({
      attributionWindow: "7d",
      counterfactual: { share: 0.25, topK: 5 },
    });
  }
  expect(await overHttp("home-ab")).not.toHaveProperty("kind");
});

test("a unit asks what it gets, and hears that it gets both arms", async () => {
  const { body } = await doors.post("/v1/assignments", { unit: "u1" });
  const told = {
    assignments: [{ experiment: "home-kd", arm: "interleaved", propensity: 1, overridden: false }],
    decisions: [{ reason: "assigned", arm: "interleaved" }],
  };
  expect(body).toMatchObject(told);
  const { message } = await doors.grpc.call("setlist.v1.ExperimentService", "Assign", { unit: "u1" });
  expect(message).toMatchObject(told);
});

test("an interleaving is written over HTTP and gRPC, and what was read may be sent back", async () => {
  const document = {
    kind: "interleave",
    surface: "home",
    layer: "second",
    arms: [
      { id: "control", control: true, model: { name: "home-control" } },
      { id: "kd", model: { name: "home-kd" } },
    ],
  };
  const made = await doors.post("/v1/experiments", { ...document, id: "il-http" });
  expect(made).toMatchObject({ status: 201, body: { kind: "interleave", revision: 1 } });
  const { change: _, ...read } = made.body;
  const again = await httpCall(`${doors.http}/v1/experiments/il-http`, {
    method: "PUT",
    headers: { "content-type": "application/json", "if-match": "1" },
    body: JSON.stringify(read),
  });
  expect(again).toMatchObject({
    status: 200,
    body: { kind: "interleave", revision: 1, change: { what: "" } },
  });

  const call = (method: string, message: object) =>
    doors.grpc.call("setlist.v1.ExperimentService", method, message);
  const overGrpc = await call("Create", { experiment: { ...document, id: "il-grpc" } });
  expect(overGrpc.message).toMatchObject({ experiment: { kind: "interleave" } });
  const third = {
    ...document,
    id: "third",
    arms: [...document.arms, { id: "x", model: { name: "home-kd" } }],
  };
  expect(await call("Create", { experiment: third })).toMatchObject({
    code: "INVALID_ARGUMENT",
    detail: "arms: expected exactly 2, whose lists are interleaved, got 3",
  });
  const ab = {
    ...document,
    kind: "ab",
    id: "ab-grpc",
    attributionWindow: "36h",
    counterfactual: { share: 0 },
  };
  expect((await call("Create", { experiment: ab })).message).toMatchObject({
    experiment: { attributionWindow: "36h", counterfactual: { share: 0, topK: 10 } },
  });
});
