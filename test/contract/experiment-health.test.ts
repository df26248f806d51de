import { afterEach, beforeEach, expect, test } from "vitest";
import { type Doors, openDoors } from "../support/doors.ts";
import { storeOf } from "../support/experiment-store.ts";
import { experimentWith } from "../support/experiments.ts";

const ramp = [{ traffic: 0.1, for: "1h" }, { traffic: 0.5 }];
const guardrail = {
  id: "slow",
  kind: "latency-p99",
  action: "rollback",
  alpha: 0.01,
  minimum: 100,
  window: "1h",
  maxMs: 80,
} as const;
const breach = {
  guardrail: "slow",
  kind: "latency-p99",
  action: "rollback",
  alpha: 0.005,
  at: "2026-11-26T08:01:00.000Z",
  since: "2026-11-26T08:00:00.000Z",
  evidence: { arm: "treated", state: "breached", count: 200, estimate: 120, bound: 80, detail: "too slow" },
  thanks: "ada",
} as const;

let doors: Doors;
beforeEach(async () => {
  const standing = experimentWith({ id: "exp", ramp, traffic: 0.1, guardrails: [guardrail] });
  const killed = { ...standing, killed: "too slow", breach };
  doors = await openDoors({
    experiments: storeOf(
      [killed],
      [{ document: killed, who: "ada", at: 0, what: "created, running", hash: undefined }],
    ),
  });
});
afterEach(() => doors.close());

const call = (method: string, message: object) =>
  doors.grpc.call("setlist.v1.ExperimentService", method, message);

test("an experiment's health says the same over both doors: guardrails, ramp and breach", async () => {
  const { status, body } = await doors.get("/v1/experiments/exp/health");
  expect(status).toBe(200);
  expect(body).toEqual({
    experiment: "exp",
    revision: 1,
    phase: 1,
    status: "running",
    killed: "too slow",
    state: "breached",
    guardrails: [
      {
        guardrail: "slow",
        kind: "latency-p99",
        action: "rollback",
        state: "undecided",
        alpha: 0.01,
        arms: [],
        problem: "not judged yet",
      },
    ],
    ramp: {
      step: 1,
      steps: 2,
      traffic: 0.1,
      nextTraffic: 0.5,
      passedMs: 0,
      totalMs: 3_600_000,
      heldBy: "it was killed",
    },
    breach,
  });
  const { code, message } = await call("Health", { id: "exp" });
  expect(code).toBe("OK");
  expect(message).toMatchObject({
    state: "breached",
    guardrails: [{ guardrail: "slow", problem: "not judged yet" }],
    ramp: { steps: 2, nextTraffic: 0.5, heldBy: "it was killed" },
    breach: { evidence: { arm: "treated", detail: "too slow" }, thanks: "ada" },
  });
});

test("an unknown experiment has no health: NOT_FOUND with the nearest", async () => {
  const { status, body } = await doors.get("/v1/experiments/exo/health");
  expect(status).toBe(404);
  expect(body["detail"]).toBe('id: no experiment "exo" (did you mean "exp"?)');
  expect((await call("Health", { id: "exo" })).code).toBe("NOT_FOUND");
});

test("an experiment shows its breach, its ramp and its guardrails, and they can be written over gRPC", async () => {
  expect((await doors.get("/v1/experiments/exp")).body).toMatchObject({
    breach,
    ramp,
    guardrails: [guardrail],
  });
  const { message } = await call("Get", { id: "exp" });
  expect(message).toMatchObject({
    ramp,
    guardrails: [guardrail],
    breach: { guardrail: "slow", at: breach.at },
  });

  const made = await call("Create", {
    experiment: {
      id: "other",
      surface: "home",
      layer: "second",
      arms: [
        { id: "control", control: true, model: { name: "home-control" } },
        { id: "kd", model: { name: "home-kd" } },
      ],
      ramp,
      guardrails: [{ kind: "fallback-rate", margin: 0 }],
    },
  });
  expect(made.code).toBe("OK");
  expect((await doors.get("/v1/experiments/other")).body).toMatchObject({
    traffic: 0.1,
    ramp,
    guardrails: [{ id: "fallback-rate", kind: "fallback-rate", action: "hold", margin: 0, window: "1h" }],
  });
});
