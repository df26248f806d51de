/** The OpenFeature Remote Evaluation Protocol 0.3, as its OpenAPI document has it: statuses, codes, bodies, tags. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { type Doors, httpCall, openDoors } from "../support/doors.ts";
import { experimentWith } from "../support/experiments.ts";
import { openFullDoors } from "../support/full-doors.ts";

const running = experimentWith({
  id: "home-kd",
  targeting: "user.country == 'DE'",
  overrides: { qa: "treated" },
});
const draft = experimentWith({ id: "draft", layer: "drafts", status: "draft" });
const killed = { ...experimentWith({ id: "killed", layer: "killed" }), killed: "too slow" };
const nobody = experimentWith({ id: "nobody", layer: "small", traffic: 0 });
const german = { targetingKey: "u1", country: "DE" };
const one = "/ofrep/v1/evaluate/flags/home-kd";
const all = "/ofrep/v1/evaluate/flags";

let experiments: readonly Experiment[];
let doors: Doors;
beforeEach(() => {
  experiments = [running, draft, killed, nobody];
});
beforeAll(async () => {
  const limits = { entriesMax: 4, bodyBytesMax: 20_000 };
  const declared = { user: { age: "number" }, context: {} } as const;
  doors = await openDoors({
    limits,
    ports: { assigner: () => compileAssigner(experiments), attributes: declared },
  });
});
afterAll(() => doors.close());

const evaluate = (key: string, context: unknown) =>
  doors.post(`/ofrep/v1/evaluate/flags/${key}`, { context });
const arm = () => compileAssigner([running]).decide("home-kd", "u1", attributes)?.decision.arm;
const attributes = { user: { country: "DE" }, context: {} };

describe("one flag", () => {
  test("of a unit in the experiment has the arm as variant and value, by a split", async () => {
    const answer = await evaluate("home-kd", german);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    const decision = compileAssigner([running]).decide("home-kd", "u1", attributes)?.decision;
    expect(answer.body).toEqual({
      key: "home-kd",
      reason: "SPLIT",
      value: arm(),
      variant: arm(),
      metadata: {
        surface: "home",
        layer: "ranker",
        phase: 1,
        revision: 1,
        detail: decision?.detail,
        unit: "u1",
        layerBucket: decision?.layerBucket,
        armBucket: decision?.armBucket,
      },
    });
  });

  test("of an overridden unit has the forced arm, by targeting", async () => {
    const { body } = await evaluate("home-kd", { targetingKey: "qa" });
    expect(body).toMatchObject({ reason: "TARGETING_MATCH", value: "treated", variant: "treated" });
  });

  test.each([
    ["that is not targeted", "home-kd", { targetingKey: "u1", country: "FR" }, "DEFAULT", "targeting"],
    [
      "whose context lacks what the targeting reads",
      "home-kd",
      { targetingKey: "u1" },
      "DEFAULT",
      "targeting-attribute-missing",
    ],
    ["outside the traffic", "nobody", german, "DEFAULT", "traffic"],
    ["of an experiment that is killed", "killed", german, "DISABLED", "killed"],
    ["of an experiment that does not run", "draft", german, "DISABLED", "status"],
  ])("of a unit %s has no value, and says which gate said no", async (_, key, context, reason, gate) => {
    const { status, body } = await evaluate(key, context);
    expect(status).toBe(200);
    expect(body).toMatchObject({ key, reason, metadata: { gate, detail: expect.any(String) } });
    expect(Object.keys(body)).toEqual(["key", "reason", "metadata"]);
  });

  test("takes attributes by entity, and flat ones for both", async () => {
    const reasonOf = async (context: object) => (await evaluate("home-kd", context)).body["reason"];
    expect(await reasonOf({ targetingKey: "u1", user: { country: "DE" } })).toBe("SPLIT");
    expect(await reasonOf({ targetingKey: "u1", context: { country: "DE" } })).toBe("DEFAULT");
    expect(await reasonOf({ targetingKey: "u1", country: "DE", user: { country: "FR" } })).toBe("DEFAULT");
  });

  test("may split by the session that the context names", async () => {
    experiments = [experimentWith({ id: "home-kd", unit: "session" })];
    const { body } = await evaluate("home-kd", { targetingKey: "u1", sessionId: "s1" });
    const facts = { user: {}, context: {}, session: "s1" };
    const decision = compileAssigner(experiments).decide("home-kd", "anyone", facts)?.decision;
    expect(body).toMatchObject({ reason: "SPLIT", value: decision?.arm, metadata: { unit: "s1" } });
    expect((await evaluate("home-kd", { targetingKey: "u1", sessionId: 7 })).body).toEqual({
      key: "home-kd",
      reason: "DEFAULT",
      metadata: {
        surface: "home",
        layer: "ranker",
        phase: 1,
        revision: 1,
        gate: "unit-missing",
        detail: "it splits by session, and the request carries no session.id",
      },
    });
  });

  test("whose arm a forced prerequisite brought is no split: it is never analysed", async () => {
    const after = {
      id: "after",
      layer: "later",
      prerequisites: [{ experiment: "home-kd", arms: ["treated"] }],
    };
    experiments = [experimentWith(after), running];
    const context = { ...german, targetingKey: "qa" };
    expect((await evaluate("after", context)).body).toMatchObject({ reason: "TARGETING_MATCH" });
    const flags = (await doors.post(all, { context })).body["flags"];
    expect(flags).toMatchObject([{ key: "after", reason: "TARGETING_MATCH" }, { reason: "TARGETING_MATCH" }]);
  });

  test("passes over what only others read, and fields of later protocols", async () => {
    const context = { ...german, roles: ["a"], address: { city: "Ulm" }, plan: null };
    expect((await doors.post(one, { context, later: true })).body["reason"]).toBe("SPLIT");
  });

  test("is no exposure", async () => {
    const evaluations = (metrics: string): number =>
      Number(/^setlist_flag_evaluations_total\{reason="SPLIT"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    const before = evaluations((await doors.get("/metrics")).text);
    await evaluate("home-kd", german);
    expect(doors.recorded).toEqual([]);
    const { text } = await doors.get("/metrics");
    expect(text).not.toContain("setlist_assignments_total{");
    expect(evaluations(text)).toBe(before + 1);
  });
});

const long = "x".repeat(257);
const badRequests: [name: string, body: unknown, status: number, errorCode: string, errorDetails: string][] =
  [
    ["no JSON", "{", 400, "PARSE_ERROR", "body: malformed JSON: "],
    ["an empty body", "", 400, "PARSE_ERROR", "body: expected a JSON object, but it is empty"],
    ["bytes that are no UTF-8", Buffer.from([0xff]), 400, "PARSE_ERROR", "body: expected UTF-8, "],
    [
      "a key that would reach a prototype",
      '{ "context": { "targetingKey": "u1", "__proto__": {} } }',
      400,
      "PARSE_ERROR",
      "body: the keys __proto__ and ",
    ],
    ["a list", [], 400, "INVALID_CONTEXT", "body: expected a JSON object with a context"],
    ["null", "null", 400, "INVALID_CONTEXT", "body: expected a JSON object with a context"],
    ["no context", {}, 400, "INVALID_CONTEXT", "context: expected an object, got nothing"],
    ["a list as context", { context: [] }, 400, "INVALID_CONTEXT", "context: expected an object, got array"],
    [
      "a text as context",
      { context: "u1" },
      400,
      "INVALID_CONTEXT",
      "context: expected an object, got string",
    ],
    [
      "no targeting key",
      { context: { country: "DE" } },
      400,
      "TARGETING_KEY_MISSING",
      "context.targetingKey: expected the id of the user, but missing",
    ],
    [
      "null as targeting key",
      { context: { targetingKey: null } },
      400,
      "TARGETING_KEY_MISSING",
      "context.targ",
    ],
    [
      "an empty targeting key",
      { context: { targetingKey: "" } },
      400,
      "TARGETING_KEY_MISSING",
      "context.targ",
    ],
    [
      "a number as targeting key",
      { context: { targetingKey: 1 } },
      400,
      "INVALID_CONTEXT",
      "context.targetingKey: expected string, got number",
    ],
    [
      "a targeting key that is too long",
      { context: { targetingKey: long } },
      400,
      "INVALID_CONTEXT",
      "context.targetingKey: expected an id of 1 to 256 bytes, got 257",
    ],
    [
      "half a surrogate pair in the targeting key",
      '{ "context": { "targetingKey": "\\ud800" } }',
      400,
      "INVALID_CONTEXT",
      "context.targetingKey: expected Unicode text, got a lone surrogate",
    ],
    [
      "a user that is no object",
      { context: { targetingKey: "u1", user: "ada" } },
      400,
      "INVALID_CONTEXT",
      "context.user: expected an object of attributes, got string",
    ],
    [
      "a user's attribute that is a list",
      { context: { targetingKey: "u1", user: { tags: ["a"] } } },
      400,
      "INVALID_CONTEXT",
      "context.user.tags: expected string or number or boolean, got array",
    ],
    [
      "a number past the range of a double",
      '{ "context": { "targetingKey": "u1", "age": 1e999 } }',
      400,
      "INVALID_CONTEXT",
      "context.user.age: expected a finite number, got Infinity",
    ],
    [
      "too many attributes",
      { context: { targetingKey: "u1", a: 1, b: 2, c: 3, user: { d: 4, e: 5 } } },
      400,
      "INVALID_CONTEXT",
      "context.user: expected at most 4 entries, got 5",
    ],
    [
      "an attribute of another type than it is declared",
      { context: { targetingKey: "u1", age: "7" } },
      400,
      "INVALID_CONTEXT",
      "context.user.age: expected a number, as it is declared, got a string",
    ],
    [
      "a session id that is too long",
      { context: { targetingKey: "u1", sessionId: long } },
      400,
      "INVALID_CONTEXT",
      "context.sessionId: expected an id of 1 to 256 bytes, got 257",
    ],
    [
      "too large a body",
      { context: { ...german, x: "x".repeat(20_000) } },
      413,
      "GENERAL",
      "body: expected at most 20000 bytes",
    ],
  ];

describe.each([
  ["one flag", one, { key: "home-kd" }],
  ["all flags", all, {}],
])("a bad request for %s", (_, path, key) => {
  test.each(badRequests)(
    "%s is told in the protocol's words",
    async (_, body, status, errorCode, details) => {
      const answer = await doors.post(path, body);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(answer.headers.get("request-id")).toEqual(expect.any(String));
      expect(answer.body).toEqual({ ...key, errorCode, errorDetails: expect.stringContaining(details) });
      expect((await doors.post(path, { context: german })).status).toBe(200);
    },
  );

  test("another content than JSON is 415", async () => {
    const answer = await doors.post(path, "x=1", { "content-type": "application/x-www-form-urlencoded" });
    expect(answer.status).toBe(415);
    expect(answer.body).toEqual({
      ...key,
      errorCode: "PARSE_ERROR",
      errorDetails: "content-type: expected application/json",
    });
  });

  test("another method is 405, with the one that there is", async () => {
    const answer = await doors.get(path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

describe("an unknown flag", () => {
  test("is 404 with the nearest key", async () => {
    const answer = await evaluate("home-kdd", german);
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({
      key: "home-kdd",
      errorCode: "FLAG_NOT_FOUND",
      errorDetails: 'no flag "home-kdd" (did you mean "home-kd"?)',
    });
  });

  test.each(["", "%F0%9F%A6%84", "x".repeat(1_000), "constructor", "__proto__"])("%j too", async (key) => {
    const { status, body } = await evaluate(key, german);
    expect(status).toBe(404);
    expect(body).toMatchObject({ key: decodeURIComponent(key), errorCode: "FLAG_NOT_FOUND" });
  });
});

test("while rank requests are refused, evaluations are 429 with the time to wait", async () => {
  const full = await openFullDoors({ surface: "home", user: { id: "u1" }, candidateIds: ["t1"] });
  const { doors } = full;
  onTestFinished(() => doors.close());
  for (const path of [one, all]) {
    const answer = await doors.post(path, { context: german });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(answer.body["errorCode"]).toBe("GENERAL");
  }
  full.letGo();
  expect((await full.first).status).toBe(200);
});

test("a defect is 500, shows nothing of the inside, and is logged under the id that it shows", async () => {
  const doors = await openDoors({
    ports: {
      assigner: () => {
        throw new Error("secret");
      },
    },
  });
  onTestFinished(() => doors.close());
  const answer = await doors.post(one, { context: german });
  expect(answer.status).toBe(500);
  expect(answer.body).toEqual({
    key: "home-kd",
    errorCode: "GENERAL",
    errorDetails: "an internal error; the server's log has it under this answer's request id",
  });
  expect(answer.text).not.toContain("secret");
  expect(doors.logged).toContainEqual(
    expect.objectContaining({ requestId: answer.headers.get("request-id"), msg: "request failed" }),
  );
});

describe("all flags", () => {
  const bulk = (headers: Record<string, string> = {}, context: object = german) =>
    httpCall(doors.http + all, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ context }),
    });

  test("come in the order of their ids, each as it comes alone", async () => {
    const { status, body } = await bulk();
    expect(status).toBe(200);
    const alone = await Promise.all(
      ["draft", "home-kd", "killed", "nobody"].map(async (key) => (await evaluate(key, german)).body),
    );
    expect(body).toEqual({ flags: alone });
  });

  test("of 500 experiments come in one answer", async () => {
    experiments = Array.from({ length: 500 }, (_, i) =>
      experimentWith({ id: `exp-${String(i).padStart(3, "0")}`, layer: `layer-${i}` }),
    );
    const flags = (await bulk()).body["flags"] as { key: string; reason: string }[];
    expect(flags.map(({ key }) => key)).toEqual(experiments.map(({ id }) => id));
    expect(new Set(flags.map(({ reason }) => reason))).toEqual(new Set(["SPLIT"]));
  });

  test("of no experiment are an empty list", async () => {
    experiments = [];
    expect((await bulk()).body).toEqual({ flags: [] });
  });

  test.each([
    ["as it came", (tag: string) => tag],
    ["as a weak one", (tag: string) => `W/${tag}`],
    ["among others", (tag: string) => `"other", ${tag}`],
    ["without its quotes", (tag: string) => tag.replaceAll('"', "")],
    ["as a star", () => "*"],
  ])("are 304 without a body for who has their tag, %s", async (_, named) => {
    const tag = (await bulk()).headers.get("etag") ?? "";
    expect(tag).toMatch(/^"[\w-]+"$/);
    const again = await bulk({ "if-none-match": named(tag) });
    expect([again.status, again.text, again.headers.get("etag")]).toEqual([304, "", tag]);
  });

  test("have another tag for another unit whose flags differ, and once an experiment changed", async () => {
    const tag = (await bulk()).headers.get("etag") ?? "";
    expect((await bulk({ "if-none-match": tag }, { targetingKey: "u2", country: "FR" })).status).toBe(200);
    experiments = [{ ...running, revision: 2 }, draft, killed, nobody];
    const changed = await bulk({ "if-none-match": tag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("etag")).not.toBe(tag);
  });

  test("have a tag that knows nothing of what does not change the flags", async () => {
    const tags = [
      (await bulk()).headers.get("etag"),
      (await bulk({}, { ...german, age: 7 })).headers.get("etag"),
    ];
    expect(tags[0]).toBe(tags[1]);
  });

  test("take the parameters of an event stream, which there is none of", async () => {
    const path = `${all}?flagConfigEtag=abc&flagConfigLastModified=1771622898`;
    expect((await doors.post(path, { context: german })).status).toBe(200);
  });
});

test("labels never repeat what a request said", async () => {
  await evaluate("key-of-an-attacker", german);
  await evaluate("home-kd", { targetingKey: "unit-of-an-attacker", country: "country-of-an-attacker" });
  const { text } = await doors.get("/metrics");
  expect(text).not.toContain("attacker");
  expect(text).toContain('route="/ofrep/v1/evaluate/flags/:key",code="404"');
});
