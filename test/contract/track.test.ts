/** What OpenFeature's `track` sends to: exposures and outcomes of units. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Assignment } from "../../src/domain/assignment.ts";
import { SetlistError } from "../../src/domain/error.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { type Doors, openDoors } from "../support/doors.ts";
import { experimentWith } from "../support/experiments.ts";

const running = experimentWith({ id: "home-kd", overrides: { u1: "treated" } });
const targeted = experimentWith({
  id: "radio-kd",
  surface: "radio",
  layer: "radio",
  targeting: "user.age > 3.0",
});
const sticky = experimentWith({ id: "sticky", layer: "sticky", sticky: true });
const now = Date.UTC(2026, 10, 22, 8);

let doors: Doors;
let log: (Impression | Outcome)[];
let refuses: boolean;
let kept: Assignment[];
beforeEach(async () => {
  log = [];
  refuses = false;
  kept = [];
  doors = await openDoors({
    limits: { outcomesMax: 8 },
    ports: {
      assigner: () => compileAssigner([running, targeted, sticky]),
      sticky: { keep: (assignment) => kept.push(assignment) },
      clock: { now: () => now, monotonic: () => performance.now() },
      log: {
        appendImpression: async (impression) => {
          if (refuses) throw new SetlistError("UNAVAILABLE", "the disk refuses", { retryAfterSeconds: 1 });
          log.push(impression);
        },
        appendOutcomes: async (outcomes) => {
          const known = new Set(log.flatMap((one) => (one.kind === "outcome" ? [one.outcomeId] : [])));
          const fresh = outcomes.filter(({ outcomeId }) => !known.has(outcomeId));
          log.push(...fresh);
          const duplicates = outcomes.length - fresh.length;
          return { accepted: fresh.length, duplicates, unmatched: fresh.length };
        },
        appendShadow: async () => {},
        close: async () => {},
      },
    },
  });
});
afterEach(() => doors.close());

const track = (...events: unknown[]) => doors.post("/ofrep/v1/track", { events });
const context = { targetingKey: "u1" };
const exposure = { outcomeId: "e1", name: "exposure", context, details: { flag: "home-kd" } };
const checkout = { outcomeId: "c1", name: "checkout", context, details: { value: 99.77, page: "cart" } };

test("an exposure is logged as an impression of the arm, without candidates, ahead of its acknowledgement", async () => {
  const { status, body } = await track({ ...exposure, occurredAt: "2026-11-22T07:59:00.000Z" });
  expect([status, body]).toEqual([200, { accepted: 1, duplicates: 0, rejected: [] }]);
  expect(log[0]).toEqual({
    kind: "impression",
    requestId: "e1",
    at: Date.UTC(2026, 10, 22, 7, 59),
    surface: "home",
    userId: "u1",
    assignments: [
      {
        experiment: "home-kd",
        arm: "treated",
        layer: "ranker",
        phase: 1,
        unit: "u1",
        propensity: 0.5,
        overridden: true,
      },
    ],
    model: undefined,
    degraded: [],
    timings: { assign: 0, features: 0, queue: 0, inference: 0, rank: 0 },
    candidateCount: 0,
    items: [],
  });
  expect(log[1]).toMatchObject({ kind: "outcome", outcomeId: "e1", type: "exposure", requestId: "user:u1" });
  expect((await doors.get("/metrics")).text).toContain(
    'setlist_assignments_total{experiment="home-kd",arm="treated"} 1',
  );
});

test("an exposure of a sticky experiment is where its arm begins to be kept", async () => {
  await track(exposure, { ...exposure, outcomeId: "e2", details: { flag: "sticky" } });
  expect(kept).toMatchObject([{ experiment: "sticky", unit: "u1" }]);
});

test("another event is an outcome of the user", async () => {
  await track(checkout);
  expect(log).toEqual([
    {
      kind: "outcome",
      outcomeId: "c1",
      requestId: "user:u1",
      itemId: "",
      type: "checkout",
      value: 99.77,
      occurredAt: now,
      receivedAt: now,
    },
  ]);
});

test("its value is 1 where there are no details", async () => {
  await track({ outcomeId: "c1", name: "checkout", context });
  expect(log).toMatchObject([{ value: 1 }]);
});

test("an event that names what a rank request showed is an outcome of that", async () => {
  await track({ ...checkout, details: { requestId: "r1", itemId: "t9" } });
  expect(log).toMatchObject([{ requestId: "r1", itemId: "t9", type: "checkout", value: 1 }]);
});

test("an event that comes again is a duplicate", async () => {
  await track(checkout, exposure);
  expect((await track(checkout, exposure)).body).toEqual({ accepted: 0, duplicates: 2, rejected: [] });
});

test("an outcome of a unit answers no request, so that it is never counted as unmatched", async () => {
  await track(checkout, exposure);
  expect((await doors.get("/metrics")).text).toContain('setlist_outcomes_total{result="unmatched"} 0');
  await track({ ...checkout, outcomeId: "c2", details: { requestId: "r1", itemId: "t9" } });
  expect((await doors.get("/metrics")).text).toContain('setlist_outcomes_total{result="unmatched"} 1');
});

test("where the disk refuses, nothing is acknowledged", async () => {
  refuses = true;
  const answer = await track(checkout, exposure);
  expect([answer.status, answer.headers.get("retry-after"), answer.body["code"]]).toEqual([
    503,
    "1",
    "UNAVAILABLE",
  ]);
  expect(log).toEqual([]);
});

describe("a wrong event is rejected by its index, and the rest are taken:", () => {
  test.each([
    ["no id", { ...checkout, outcomeId: undefined }, "outcomeId: expected, but missing"],
    ["an empty id", { ...checkout, outcomeId: "" }, "outcomeId: expected an id of 1 to 256 bytes, got 0"],
    ["no name", { ...checkout, name: undefined }, "name: expected, but missing"],
    ["an empty name", { ...checkout, name: "" }, "name: expected 1 to 64 characters, got 0"],
    [
      "a name that is too long",
      { ...checkout, name: "x".repeat(65) },
      "name: expected 1 to 64 characters, got 65",
    ],
    ["no context", { ...checkout, context: undefined }, "context: expected, but missing"],
    [
      "no targeting key",
      { ...checkout, context: {} },
      "context.targetingKey: expected the id of the user, but missing",
    ],
    [
      "a text as value",
      { ...checkout, details: { value: "1" } },
      "details.value: expected number, got string",
    ],
    [
      "a request without its item",
      { ...checkout, details: { requestId: "r1" } },
      "details: expected requestId and itemId together, or neither",
    ],
    [
      "an empty item",
      { ...checkout, details: { requestId: "r1", itemId: "" } },
      "details.itemId: expected an id of 1 to 256 bytes, got 0",
    ],
    [
      "a time without a zone",
      { ...checkout, occurredAt: "2026-11-22T08:00:00" },
      'occurredAt: expected an ISO 8601 time with a zone such as 2026-11-22T08:00:00.000Z, got "2026-11-22T08:00:00"',
    ],
    ["an unknown field", { ...checkout, unit: "u1" }, "unit: unknown field"],
    ["no object", "checkout", "event: expected object, got string"],
    [
      "an exposure of no flag",
      { ...exposure, details: {} },
      "details.flag: expected, since the event is an exposure",
    ],
    [
      "an exposure of an item",
      { ...exposure, details: { flag: "home-kd", requestId: "r1", itemId: "t9" } },
      "details.itemId: an exposure is of a flag, not of an item",
    ],
    [
      "an exposure of an unknown flag",
      { ...exposure, details: { flag: "home-k" } },
      'no flag "home-k" (did you mean "home-kd"?)',
    ],
    [
      "an exposure of a unit without an arm",
      { ...exposure, context: { ...context, age: 3 }, details: { flag: "radio-kd" } },
      'details.flag: "u1" gets no arm of radio-kd: the targeting is false: user.age > 3.0',
    ],
    [
      "an exposure to an arm that the unit does not get",
      { ...exposure, details: { flag: "home-kd", variant: "control" } },
      'details.variant: "control" was acted on, but "u1" gets "treated" of home-kd by now',
    ],
  ])("%s", async (_, event, detail) => {
    const good = { ...checkout, outcomeId: "good" };
    const { status, body } = await track(good, event);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, code: "INVALID_ARGUMENT", detail: expect.stringContaining(detail) }],
    });
    expect(log).toMatchObject([{ outcomeId: "good" }]);
  });
});

test.each([
  ["no events", { events: [] }, "events: expected 1 to 8 events in a batch, got 0"],
  [
    "too many events",
    { events: Array.from({ length: 9 }) },
    "events: expected 1 to 8 events in a batch, got 9",
  ],
  ["no list", {}, "events: expected, but missing"],
  ["one event in place of a list", checkout, "events: expected, but missing"],
])("a batch of %s is refused", async (_, body, detail) => {
  const answer = await doors.post("/ofrep/v1/track", body);
  expect(answer.status).toBe(400);
  expect(answer.headers.get("content-type")).toContain("application/problem+json");
  expect(answer.body).toMatchObject({ code: "INVALID_ARGUMENT", detail });
});
