import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Doors, httpCall, openDoors, testExperiment } from "../support/doors.ts";
import { standingLibrary } from "../support/model-library.ts";
import { rankMessage } from "../support/rank-message.ts";

let doors: Doors;
beforeAll(async () => {
  doors = await openDoors();
});
afterAll(() => doors.close());

const request = {
  requestId: "r1",
  surface: "home",
  user: { id: "u1", attributes: { country: "DE", age: 30, premium: true }, features: { taste: [0.5, 1] } },
  context: { attributes: { device: "ios" }, features: { hour: 8 } },
  candidates: [
    { id: "unknown-1" },
    { id: "t2", features: { genres: ["pop", "jazz"], plays: 7 } },
    { id: "t3" },
  ],
  limit: 2,
  timeoutMs: 50,
  explain: true,
};
const rank = (message: object) => doors.grpc.call("setlist.v1.RankingService", "Rank", message);
const experimentService = (method: string, message: object) =>
  doors.grpc.call("setlist.v1.ExperimentService", method, message);

const serverTiming =
  /^assign;dur=[\d.]+, features;dur=[\d.]+, queue;dur=0.5, inference;dur=1.25, rank;dur=[\d.]+$/;

describe("a ranking", () => {
  const answer = {
    requestId: "r1",
    surface: "home",
    items: [
      {
        id: "t3",
        score: Math.fround(0.0005) + 2 * Math.fround(0.0006),
        tasks: { click: Math.fround(0.0005), completion: Math.fround(0.0006) },
        explanation: {
          parts: { click: Math.fround(0.0005), completion: 2 * Math.fround(0.0006) },
          fused: Math.fround(0.0005) + 2 * Math.fround(0.0006),
          steps: [],
        },
      },
      {
        id: "t2",
        score: Math.fround(0.0003) + 2 * Math.fround(0.0004),
        tasks: { click: Math.fround(0.0003), completion: Math.fround(0.0004) },
        explanation: {
          parts: { click: Math.fround(0.0003), completion: 2 * Math.fround(0.0004) },
          fused: Math.fround(0.0003) + 2 * Math.fround(0.0004),
          steps: [],
        },
      },
    ],
    assignments: [{ experiment: "home-kd", arm: "control", layer: "home-ranker" }],
    model: { name: "home-control", version: "1" },
    degraded: ["defaults:1"],
    decisions: [
      {
        experiment: "home-kd",
        layer: "home-ranker",
        reason: "assigned",
        detail: "u1 is in control",
        arm: "control",
        unit: "u1",
        layerBucket: 0.25,
        armBucket: 0.125,
        holdouts: [{ holdout: "everyone", bucket: 0.5 }],
      },
    ],
    valueModel: { kind: "weighted-sum", weights: { click: 1, completion: 2 }, diversity: [] },
    valueModelOrigin: { fusion: "model", diversity: "model" },
  };

  test("over HTTP is the contract's JSON and no more, with its timings", async () => {
    const got = await doors.post("/v1/rank", request);
    expect(got.status).toBe(200);
    expect(got.body).toEqual(answer);
    expect(got.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(got.headers.get("server-timing")).toMatch(serverTiming);
    expect(got.headers.get("request-id")).toBe("r1");
  });

  test("over gRPC says the same, with its timings as trailing metadata", async () => {
    const got = await rank(rankMessage(request));
    expect(got.code).toBe("OK");
    expect(got.message).toMatchObject(answer);
    expect(got.trailer.get("server-timing")).toEqual([expect.stringMatching(serverTiming)]);
    expect(got.trailer.get("request-id")).toEqual(["r1"]);
  });

  test("without a request id gets one (UUIDv7), which header and answer agree on", async () => {
    const { requestId: _, ...anonymous } = request;
    const overHttp = await doors.post("/v1/rank", anonymous);
    const overGrpc = await rank(rankMessage(anonymous));
    expect(overHttp.body["requestId"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(overHttp.headers.get("request-id")).toBe(overHttp.body["requestId"]);
    expect(overGrpc.message["requestId"]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(overGrpc.trailer.get("request-id")).toEqual([overGrpc.message["requestId"]]);
  });

  test("with a request id that no header can hold carries it percent-encoded there", async () => {
    const id = 'r "1"\n→ ü';
    const overHttp = await doors.post("/v1/rank", { ...request, requestId: id });
    const overGrpc = await rank(rankMessage({ ...request, requestId: id }));
    expect(overHttp.body["requestId"]).toBe(id);
    expect(decodeURIComponent(overHttp.headers.get("request-id") ?? "")).toBe(id);
    expect(overGrpc.message["requestId"]).toBe(id);
    expect(decodeURIComponent(String(overGrpc.trailer.get("request-id")[0]))).toBe(id);
  });

  test("no model scored says so: null in JSON, absent in protobuf, the order that came in", async () => {
    const modelless = await openDoors({
      ports: {
        scorer: {
          resolve: () => undefined,
          candidatesMax: () => Number.POSITIVE_INFINITY,
          models: () => [],
          execution: () => undefined,
          score: () => Promise.reject(new Error("unused")),
          scoreSpare: () => Promise.reject(new Error("unused")),
          close: async () => {},
        },
      },
    });
    const overHttp = await modelless.post("/v1/rank", request);
    const overGrpc = await modelless.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));
    await modelless.close();
    expect(overHttp.body).toMatchObject({ model: null, degraded: ["model-unavailable"] });
    expect(overHttp.body["items"]).toEqual([
      { id: "unknown-1", score: 0, tasks: {} },
      { id: "t2", score: 0, tasks: {} },
    ]);
    expect(overGrpc.message).toMatchObject({ model: null, degraded: ["model-unavailable"] });
  });

  test("answers HEAD and OPTIONS on no ranking", async () => {
    const head = await httpCall(`${doors.http}/v1/rank`, { method: "HEAD" });
    const options = await httpCall(`${doors.http}/v1/rank`, { method: "OPTIONS" });
    expect([head.status, options.status]).toEqual([405, 405]);
    expect(options.headers.get("allow")).toBe("POST");
  });
});

describe("the call's own deadline", () => {
  test("reaches the ranking as what is left of it", async () => {
    const seen: (number | undefined)[] = [];
    const slow = await openDoors({
      serving: {
        rank: async (_wire, _receivedAt, transportTimeoutMs) => {
          seen.push(transportTimeoutMs);
          throw new Error("enough seen");
        },
      },
    });
    await slow.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request), {
      deadline: Date.now() + 5_000,
    });
    await slow.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(request));
    await slow.close();
    expect(seen).toEqual([expect.closeTo(4_900, -3), undefined]);
  });

  test("ends a call that takes longer with DEADLINE_EXCEEDED", async () => {
    const slow = await openDoors({
      serving: { recordOutcomes: () => new Promise(() => {}) },
      closeGraceMs: 50,
    });
    const answer = await slow.grpc.call(
      "setlist.v1.OutcomeService",
      "Record",
      {},
      { deadline: Date.now() + 100 },
    );
    await slow.close();
    expect(answer.code).toBe("DEADLINE_EXCEEDED");
  });
});

describe("outcomes", () => {
  const outcome = (outcomeId: string) => ({
    outcomeId,
    requestId: "r1",
    itemId: "t9",
    type: "click",
    value: 0.5,
    occurredAt: "2026-11-22T08:00:00.000Z",
  });
  const kept = (outcomeId: string) => doors.recorded.filter((one) => one.outcomeId === outcomeId);

  test("over HTTP are kept once, however often they are sent", async () => {
    const batch = { outcomes: [outcome("http-1")] };
    expect((await doors.post("/v1/outcomes", batch)).body).toEqual({
      accepted: 1,
      duplicates: 0,
      rejected: [],
    });
    expect((await doors.post("/v1/outcomes", batch)).body).toEqual({
      accepted: 0,
      duplicates: 1,
      rejected: [],
    });
    expect(kept("http-1")).toMatchObject([{ value: 0.5, occurredAt: Date.UTC(2026, 10, 22, 8) }]);
  });

  test("over gRPC are the same", async () => {
    const send = () =>
      doors.grpc.call("setlist.v1.OutcomeService", "Record", { outcomes: [outcome("grpc-1")] });
    expect((await send()).message).toEqual({ accepted: 1, duplicates: 0, rejected: [] });
    expect((await send()).message).toEqual({ accepted: 0, duplicates: 1, rejected: [] });
    expect(kept("grpc-1")).toMatchObject([{ value: 0.5, occurredAt: Date.UTC(2026, 10, 22, 8) }]);
  });

  test("without value and time are worth 1 and happened now", async () => {
    const { value: _, occurredAt: __, ...bare } = outcome("bare");
    const before = Date.now();
    await doors.grpc.call("setlist.v1.OutcomeService", "Record", { outcomes: [bare] });
    const [recorded] = kept("bare");
    expect(recorded?.value).toBe(1);
    expect(recorded?.occurredAt).toBeGreaterThanOrEqual(before);
  });
});

describe("experiments", () => {
  test("can be listed, shown and traced back over HTTP", async () => {
    const shown = { ...testExperiment };
    expect((await doors.get("/v1/experiments")).body).toEqual({ experiments: [shown] });
    expect((await doors.get("/v1/experiments/home-kd")).body).toEqual(shown);
    expect((await doors.get("/v1/experiments/home-kd/history")).body).toEqual({
      revisions: [
        { experiment: shown, who: "configuration", at: "2026-11-22T08:00:00.000Z", what: "created" },
      ],
    });
  });

  test("say the same over gRPC", async () => {
    expect((await experimentService("List", {})).message).toMatchObject({ experiments: [testExperiment] });
    expect((await experimentService("Get", { id: "home-kd" })).message).toMatchObject(testExperiment);
    expect((await experimentService("History", { id: "home-kd" })).message).toMatchObject({
      revisions: [{ experiment: testExperiment, who: "configuration", at: "2026-11-22T08:00:00.000Z" }],
    });
  });

  test("tell what a unit gets, with the attributes that were given", async () => {
    const seen: unknown[] = [];
    const asked = await openDoors({
      serving: {
        assignments: (unit, attributes) => {
          seen.push({ unit, attributes });
          return { assignments: [], decisions: [] };
        },
      },
    });
    await asked.post("/v1/assignments", { unit: "u7", attributes: { user: { country: "DE", age: 30 } } });
    await asked.grpc.call("setlist.v1.ExperimentService", "Assign", {
      unit: "u7",
      attributes: { user: { country: { text: "DE" }, age: { number: 30 } } },
    });
    await asked.close();
    const expected = { unit: "u7", attributes: { user: { country: "DE", age: 30 }, context: {} } };
    expect(seen).toEqual([expected, expected]);
  });

  test("assignments carry arm, probability and the decisions", async () => {
    const assignments = [
      {
        experiment: "home-kd",
        arm: "control",
        layer: "home-ranker",
        phase: 1,
        unit: "u7",
        propensity: 0.5,
        overridden: false,
      },
    ];
    const overHttp = await doors.post("/v1/assignments", { unit: "u7" });
    const overGrpc = await experimentService("Assign", { unit: "u7" });
    expect(overHttp.body).toMatchObject({ unit: "u7", assignments, decisions: [{ reason: "assigned" }] });
    expect(overGrpc.message).toMatchObject({ unit: "u7", assignments, decisions: [{ reason: "assigned" }] });
  });
});

test("the loaded models can be seen, and on what they run", async () => {
  expect((await doors.get("/v1/models")).body).toEqual({
    models: [
      {
        name: "home-control",
        version: "1",
        surface: "home",
        description: "For tests",
        tasks: ["click", "completion"],
        execution: { configured: ["cuda", "webgpu"], provider: "webgpu", operators: { webgpu: 70, cpu: 4 } },
        provenance: { seed: 1, offlineMetrics: { auc: 0.7 } },
      },
    ],
    versions: [],
  });
});

test("a refused version is told where one looks, and the server stays ready", async () => {
  const versions = [
    { name: "home-control", version: "2", state: "refused" as const, reason: "no golden answer", labels: [] },
  ];
  const own = await openDoors({ models: standingLibrary(versions) });
  const ready = await own.get("/readyz");
  expect([ready.status, ready.body]).toEqual([
    200,
    { status: "ready", detail: "model home-control/2 was refused: no golden answer" },
  ]);
  expect((await own.get("/v1/models")).body).toMatchObject({ versions });
  await own.close();
});

test("who moves a label is named by a text that terminals can show", async () => {
  const { status, body } = await httpCall(`${doors.http}/v1/models/home-kd/labels/stable`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ version: "1", who: "\u001b[31mada" }),
  });
  expect([status, (body as { detail: string }).detail]).toEqual([
    400,
    "who: expected text without control characters, got U+001B",
  ]);
});
