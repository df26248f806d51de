import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { type Doors, openDoors } from "../support/doors.ts";
import { arm, experimentWith } from "../support/experiments.ts";
import { attributeMessage, rankMessage } from "../support/rank-message.ts";

const model = { name: "home-control" };
const arms = [arm("control", { model }), arm("treated", { model })];
const experiments = [
  experimentWith({ id: "by-session", layer: "sessions", unit: "session", arms }),
  experimentWith({ id: "by-household", layer: "households", unit: "user.household", arms }),
];

let doors: Doors;
beforeAll(async () => {
  const assigner = compileAssigner(experiments, {
    holdouts: [{ id: "none", share: 0, unit: "user", layers: ["sessions"] }],
  });
  doors = await openDoors({
    ports: {
      assigner: () => assigner,
      attributes: { user: { household: "string", age: "number" }, context: { beta: "bool" } },
    },
  });
});
afterAll(() => doors.close());

const request = {
  surface: "home",
  user: { id: "u1", attributes: { household: "h3" } },
  session: { id: "s1" },
  candidateIds: ["t1", "t2"],
  explain: true,
};
const decisions = [
  { experiment: "by-household", reason: "assigned", unit: "h3" },
  { experiment: "by-session", reason: "assigned", unit: "s1", holdouts: [{ holdout: "none" }] },
];

describe("a rank request brings the units that its experiments split by:", () => {
  test("over HTTP", async () => {
    const { body } = await doors.post("/v1/rank", request);
    expect(body["decisions"]).toMatchObject(decisions);
    const holdouts = (body["decisions"] as { holdouts: { bucket: number }[] }[])[1]?.holdouts;
    expect(holdouts?.[0]?.bucket).toBeGreaterThan(0);
  });

  test("over gRPC", async () => {
    const { code, message } = await doors.grpc.call(
      "setlist.v1.RankingService",
      "Rank",
      rankMessage(request),
    );
    expect(code).toBe("OK");
    expect(message["decisions"]).toMatchObject(decisions);
    const holdouts = (message["decisions"] as { holdouts: { bucket: number }[] }[])[1]?.holdouts;
    expect(holdouts?.[0]?.bucket).toBeGreaterThan(0);
  });

  test("and hears which it lacks", async () => {
    const { body } = await doors.post("/v1/rank", { ...request, session: undefined });
    const [, decision] = body["decisions"] as Record<string, unknown>[];
    expect(decision).toMatchObject({ experiment: "by-session", reason: "unit-missing" });
    expect(decision).not.toHaveProperty("layerBucket");
    expect(body["assignments"]).toMatchObject([{ experiment: "by-household" }]);
  });
});

describe("assignments are asked for with the same units:", () => {
  const expected = {
    unit: "u1",
    assignments: [
      { experiment: "by-household", unit: "h3" },
      { experiment: "by-session", unit: "s1" },
    ],
  };
  test("over HTTP", async () => {
    const asked = { unit: "u1", session: { id: "s1" }, attributes: { user: { household: "h3" } } };
    expect((await doors.post("/v1/assignments", asked)).body).toMatchObject(expected);
  });

  test("over gRPC", async () => {
    const { message } = await doors.grpc.call("setlist.v1.ExperimentService", "Assign", {
      unit: "u1",
      session: { id: "s1" },
      attributes: { user: { household: { text: "h3" } } },
    });
    expect(message).toMatchObject(expected);
  });
});

describe("refused over both, with field and reason:", () => {
  const long = "ü".repeat(129);
  test.each<[string, object, string]>([
    ["an empty session", { session: { id: "" } }, "session.id: expected an id of 1 to 256 bytes, got 0"],
    [
      "an over-long session",
      { session: { id: long } },
      "session.id: expected an id of 1 to 256 bytes, got 258",
    ],
    [
      "a text for a declared number",
      { user: { id: "u1", attributes: { age: "old" } } },
      "user.attributes.age: expected a number, as it is declared, got a string",
    ],
    [
      "a number for a declared bool",
      { context: { attributes: { beta: 1 } } },
      "context.attributes.beta: expected a bool, as it is declared, got a number",
    ],
  ])("%s", async (_what, over, detail) => {
    const wrong = { ...request, ...over };
    const overHttp = await doors.post("/v1/rank", wrong);
    expect(overHttp).toMatchObject({ status: 400, body: { code: "INVALID_ARGUMENT", detail } });
    const overGrpc = await doors.grpc.call("setlist.v1.RankingService", "Rank", rankMessage(wrong));
    expect(overGrpc).toMatchObject({ code: "INVALID_ARGUMENT", detail });
  });

  test("an attribute of another type, where assignments are asked for", async () => {
    const detail = "attributes.user.age: expected a number, as it is declared, got a boolean";
    const attributes = { user: { age: true } };
    const overHttp = await doors.post("/v1/assignments", { unit: "u1", attributes });
    expect(overHttp).toMatchObject({ status: 400, body: { detail } });
    const overGrpc = await doors.grpc.call("setlist.v1.ExperimentService", "Assign", {
      unit: "u1",
      attributes: { user: { age: attributeMessage(true) } },
    });
    expect(overGrpc).toMatchObject({ code: "INVALID_ARGUMENT", detail });
  });
});

test("an attribute that nobody declared may come, and is nobody's concern", async () => {
  const user = { id: "u1", attributes: { household: "h3", plan: 7 } };
  expect((await doors.post("/v1/rank", { ...request, user })).status).toBe(200);
});
