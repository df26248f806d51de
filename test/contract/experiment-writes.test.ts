import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { ExperimentStore } from "../../src/domain/experiment-store.ts";
import { type Doors, httpCall, openDoors, testExperiment } from "../support/doors.ts";
import { storeOf } from "../support/experiment-store.ts";

const draft = {
  id: "home-new",
  surface: "home",
  layer: "home-second",
  traffic: 0.1,
  arms: [
    { id: "control", control: true, model: { name: "home-control" } },
    { id: "kd", model: { name: "home-kd" } },
  ],
};

let doors: Doors;
let store: ExperimentStore;
beforeEach(async () => {
  store = storeOf([testExperiment]);
  doors = await openDoors({ experiments: store });
});
afterEach(() => doors.close());

const send = (method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  httpCall(doors.http + path, {
    method,
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
const match = (revision: number | string, more: Record<string, string> = {}) => ({
  "if-match": String(revision),
  ...more,
});
const call = (method: string, message: object, metadata: Record<string, string> = {}) =>
  doors.grpc.call("setlist.v1.ExperimentService", method, message, { metadata });

describe("a write over HTTP", () => {
  test("creates a draft: 201, its address, its revision as the ETag, and who wrote it in the history", async () => {
    const made = await send("POST", "/v1/experiments", draft, { "setlist-actor": "ada" });
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe("/v1/experiments/home-new");
    expect(made.headers.get("etag")).toBe('"1"');
    expect(made.body).toMatchObject({
      id: "home-new",
      status: "draft",
      revision: 1,
      phase: 1,
      salt: "home-new",
      change: { what: "created, draft", dryRun: false },
    });
    const read = await doors.get("/v1/experiments/home-new");
    expect(read.headers.get("etag")).toBe('"1"');
    const { change: _, ...document } = made.body;
    expect(read.body).toEqual(document);
    const history = await doors.get("/v1/experiments/home-new/history");
    expect(history.body).toMatchObject({
      revisions: [{ experiment: document, who: "ada", what: "created, draft" }],
    });
  });

  test("takes back what was read, changed, with the revision as the ETag said it", async () => {
    const { body } = await doors.get("/v1/experiments/home-kd");
    const put = await send(
      "PUT",
      "/v1/experiments/home-kd",
      { ...body, description: "better" },
      match('"3"'),
    );
    expect(put.status).toBe(200);
    expect(put.body).toMatchObject({
      revision: 4,
      description: "better",
      change: {
        what: "description",
        fields: [{ field: "description", before: "Does the teacher help?", after: "better" }],
      },
    });
    expect(put.headers.get("etag")).toBe('"4"');
  });

  test.each(["start", "stop"])("/%s takes nothing that is called JSON for nothing", async (move) => {
    await send("POST", "/v1/experiments", draft);
    const json = { "content-type": "application/json" };
    expect(await send("POST", `/v1/experiments/home-new/${move}`, undefined, match(1, json))).toMatchObject({
      status: 200,
      body: { revision: 2 },
    });
  });

  test("leads from draft to shipped, and back to the configuration's default", async () => {
    await send("POST", "/v1/experiments", draft);
    const steps = [
      await send("POST", "/v1/experiments/home-new/start", undefined, match(1)),
      await send("POST", "/v1/experiments/home-new/pause", undefined, match(2)),
      await send("POST", "/v1/experiments/home-new/start", undefined, match(3)),
      await send("POST", "/v1/experiments/home-new/stop", { winner: "kd" }, match(4)),
      await send("POST", "/v1/experiments/home-new/ship", undefined, match(5)),
    ];
    expect(steps.map(({ status, body }) => [status, body["status"], body["revision"]])).toEqual([
      [200, "running", 2],
      [200, "paused", 3],
      [200, "running", 4],
      [200, "stopped", 5],
      [200, "stopped", 6],
    ]);
    const shipped = await doors.get("/v1/surfaces");
    expect(shipped.body).toEqual({
      surfaces: [
        {
          surface: "home",
          model: { name: "home-kd" },
          origin: "shipped",
          experiment: "home-new",
          arm: "kd",
          revision: 1,
        },
      ],
    });
    const restored = await send("POST", "/v1/surfaces/home/restore", undefined, match(1));
    expect(restored.body).toMatchObject({
      model: { name: "home-control" },
      origin: "configuration",
      revision: 2,
    });
    const history = await doors.get("/v1/surfaces/home/history");
    expect(history.body).toMatchObject({
      revisions: [
        { revision: 1, shipped: { experiment: "home-new", arm: "kd" }, what: "arm kd of home-new shipped" },
        { revision: 2, what: "the configuration's default restored" },
      ],
    });
  });

  test("kills without a revision, and revives with one", async () => {
    const killed = await send("POST", "/v1/experiments/home-kd/kill", { reason: "latency" });
    expect(killed.body).toMatchObject({ killed: "latency", status: "running", revision: 4 });
    const hasty = await send("POST", "/v1/experiments/home-kd/revive");
    expect(hasty.body).toMatchObject({
      code: "INVALID_ARGUMENT",
      detail: expect.stringContaining("If-Match"),
    });
    const revived = await send("POST", "/v1/experiments/home-kd/revive", undefined, match(4));
    expect(revived.body).not.toHaveProperty("killed");
  });

  test("moves the kill switch, with a history", async () => {
    expect((await doors.get("/v1/kill-switch")).body).toEqual({ on: false, reason: "", revision: 0 });
    const on = await send(
      "POST",
      "/v1/kill-switch",
      { on: true, reason: "latency" },
      { "setlist-actor": "ada" },
    );
    expect(on.body).toMatchObject({ on: true, reason: "latency", revision: 1 });
    expect((await send("POST", "/v1/kill-switch", { on: false })).status).toBe(400);
    const off = await send("POST", "/v1/kill-switch", { on: false }, match(1));
    expect(off.body).toMatchObject({ on: false, revision: 2 });
    expect((await doors.get("/v1/kill-switch/history")).body).toMatchObject({
      revisions: [
        { on: true, revision: 1, who: "ada", what: "on: latency" },
        { on: false, revision: 2, who: "api", what: "off" },
      ],
    });
  });

  test("imports several, all or none", async () => {
    const { body } = await doors.get("/v1/experiments/home-kd");
    const experiments = [{ ...body, description: "better" }, draft];
    const made = await send("PUT", "/v1/experiments", { experiments });
    expect(made.body).toMatchObject({
      experiments: [
        { id: "home-kd", revision: 4, change: { what: "description" } },
        { id: "home-new", revision: 1, change: { what: "created, draft" } },
      ],
    });
    const again = await send("PUT", "/v1/experiments", { experiments });
    expect(again.status).toBe(409);
    expect(again.body["detail"]).toBe(
      "experiment home-kd: revision: home-kd stands at revision 4, and 3 was read: read it again",
    );
  });

  test("as a dry run answers what would be, and writes nothing", async () => {
    const would = await send("POST", "/v1/experiments?dryRun=true", draft);
    expect(would.status).toBe(200);
    expect(would.body).toMatchObject({ id: "home-new", revision: 1, change: { dryRun: true } });
    const stop = await send("POST", "/v1/experiments/home-kd/stop?dryRun=true", undefined, match(3));
    expect(stop.body).toMatchObject({
      change: { fields: [{ field: "status", before: "running", after: "stopped" }] },
    });
    expect(store.list()).toEqual([testExperiment]);
  });

  test("that spoils a running experiment is done only where that is confirmed", async () => {
    const document = { ...testExperiment, salt: "other" };
    const refused = await send("PUT", "/v1/experiments/home-kd", document, match(3));
    expect(refused.status).toBe(400);
    expect(refused.body["detail"]).toContain("salt: home-kd has begun, so this would start phase 2");
    const done = await send("PUT", "/v1/experiments/home-kd?confirm=new-phase", document, match(3));
    expect(done.body).toMatchObject({ phase: 2, revision: 4 });
  });
});

type Refusal = [why: string, status: number, detail: string, () => ReturnType<typeof send>];
const put = (change: object, headers = match(3)) =>
  send("PUT", "/v1/experiments/home-kd", { ...testExperiment, ...change }, headers);
const [control, kd] = testExperiment.arms;

describe("bad input is refused with field and reason, and changes nothing:", () => {
  test.each<Refusal>([
    [
      "a stale revision",
      409,
      "revision: home-kd stands at revision 3, and 2 was read",
      () => put({}, match(2)),
    ],
    ["no If-Match", 400, "If-Match: expected the revision that was read", () => put({}, {} as never)],
    [
      "an If-Match that is none",
      400,
      'If-Match: expected a revision such as 3 or "3"',
      () => put({}, match("*")),
    ],
    ["another id in the document", 400, "id: expected home-kd, as the address says", () => put({ id: "x" })],
    [
      "a duplicate id",
      409,
      "id: there is an experiment home-kd already",
      () => send("POST", "/v1/experiments", { ...draft, id: "home-kd" }),
    ],
    [
      "one that is running from the start",
      400,
      "status: a new experiment is a draft",
      () => send("POST", "/v1/experiments", { ...draft, status: "running" }),
    ],
    [
      "weights that sum to nothing",
      400,
      "arms: expected weights with a positive, finite sum, got 0",
      () =>
        put({
          arms: [
            { ...control, weight: 0 },
            { ...kd, weight: 0 },
          ],
        }),
    ],
    ["a negative weight", 400, "arms[1].weight:", () => put({ arms: [control, { ...kd, weight: -1 }] })],
    [
      "no control",
      400,
      "arms: expected exactly one with control: true, got none",
      () => put({ arms: [{ ...control, control: false }, kd] }),
    ],
    [
      "two controls",
      400,
      "arms: expected exactly one with control: true, got control and kd",
      () => put({ arms: [control, { ...kd, control: true }] }),
    ],
    [
      "traffic beyond the free share",
      400,
      "traffic: expected at most 0, the free share of the layer",
      () =>
        send("PUT", "/v1/experiments", {
          experiments: [{ ...draft, layer: "home-ranker", status: "running" }],
        }),
    ],
    [
      "a model that does not exist",
      400,
      'arms[1].model.name: no model "home-dk"',
      () => put({ arms: [control, { ...kd, model: { name: "home-dk" } }] }),
    ],
    [
      "a model of another surface",
      400,
      "arms[1].model.name: expected a model of surface home, radio-kd serves radio",
      () => put({ arms: [control, { ...kd, model: { name: "radio-kd" } }] }),
    ],
    [
      "a ramp that goes down unannounced",
      400,
      "traffic: home-kd would go down from 1 to 0.5",
      () => put({ traffic: 0.5 }),
    ],
    ["targeting that is no CEL", 400, "targeting:", () => put({ targeting: "user.country ==" })],
    ["an unknown field", 400, "wieght: unknown field", () => put({ wieght: 1 })],
    [
      "an unknown confirmation",
      400,
      'confirm: no "new-fase" (did you mean "new-phase"?)',
      () => send("PUT", "/v1/experiments/home-kd?confirm=new-fase", testExperiment, match(3)),
    ],
    [
      "a winner that is no arm",
      400,
      'winner: no arm "kb" of home-kd',
      () => send("POST", "/v1/experiments/home-kd/stop", { winner: "kb" }, match(3)),
    ],
    [
      "a ship without an arm",
      400,
      "arm: expected the arm to ship",
      () => send("POST", "/v1/experiments/home-kd/ship", undefined, match(3)),
    ],
    [
      "a kill without a reason",
      400,
      "reason: expected why",
      () => send("POST", "/v1/experiments/home-kd/kill", { reason: " " }),
    ],
    [
      "a kill switch without a reason",
      400,
      "reason: expected why",
      () => send("POST", "/v1/kill-switch", { on: true }),
    ],
    [
      "an unknown experiment",
      404,
      'id: no experiment "home-dk"',
      () => send("POST", "/v1/experiments/home-dk/start", undefined, match(3)),
    ],
    [
      "an unknown surface",
      404,
      'surface: no surface "hom" (did you mean "home"?)',
      () => send("POST", "/v1/surfaces/hom/restore", undefined, match(0)),
    ],
    [
      "who writes at great length",
      400,
      "setlist-actor: expected at most 256 characters",
      () => put({}, match(3, { "setlist-actor": "a".repeat(257) })),
    ],
  ])("%s", async (_why, status, detail, refused) => {
    const answer = await refused();
    expect(answer.body).toMatchObject({ status, detail: expect.stringContaining(detail) });
    expect(store.list()).toEqual([testExperiment]);
    expect(await store.history("home-kd")).toEqual([]);
  });
});

describe("a write over gRPC", () => {
  const wire = {
    ...draft,
    arms: [
      { id: "control", control: true, model: { name: "home-control" } },
      { id: "kd", model: { name: "home-kd" }, valueModel: { noDiversity: true } },
    ],
  };

  test("creates what HTTP shows, defaults and all", async () => {
    const made = await call("Create", { experiment: wire }, { "setlist-actor": "ada" });
    expect(made.code).toBe("OK");
    expect(made.message).toMatchObject({
      experiment: { id: "home-new", status: "draft", revision: 1, traffic: 0.1 },
      change: { what: "created, draft", dryRun: false },
    });
    expect((await doors.get("/v1/experiments/home-new")).body).toMatchObject({
      salt: "home-new",
      unit: "user",
      arms: [{ weight: 1 }, { weight: 1, control: false, valueModel: { diversity: [] } }],
    });
    expect((await store.history("home-new"))[0]?.who).toBe("ada");
  });

  test("declares metrics and a plan, which both doors then show", async () => {
    const declared = {
      metrics: [
        {
          id: "rate",
          type: "ratio",
          outcome: "click",
          aggregate: "sum",
          goal: "increase",
          role: "primary",
          filter: "item.position <= 3",
          denominator: { outcome: "play", aggregate: "count", filter: "outcome.value > 1.0" },
          window: "7d",
          minimumEffect: 0.01,
          margin: 0.02,
          covariate: "28d",
        },
        {
          id: "slow",
          type: "quantile",
          outcome: "start",
          aggregate: "quantile",
          goal: "decrease",
          role: "guardrail",
          quantile: 0.95,
        },
      ],
      plan: { kind: "group-sequential", units: 20_000, looks: [0.5, 1], spending: "pocock" },
    };
    const made = await call("Create", { experiment: { ...wire, ...declared } });
    expect(made.message).toMatchObject({ experiment: declared });
    expect((await doors.get("/v1/experiments/home-new")).body).toMatchObject(declared);
    const fixed = {
      ...wire,
      id: "home-fixed",
      layer: "another",
      salt: "home-fixed",
      plan: { kind: "fixed", units: 10 },
    };
    expect((await call("Create", { experiment: fixed })).message).toMatchObject({
      experiment: { plan: { kind: "fixed", units: 10 } },
    });
  });

  test("takes a whole document back, and says what it changed as JSON", async () => {
    await call("Create", { experiment: wire });
    const { message } = await call("Get", { id: "home-new" });
    const put = await call("Put", { experiment: { ...message, traffic: 0.2 }, revision: 1 });
    expect(put.detail).toBe("");
    expect(put.message).toMatchObject({
      experiment: { traffic: 0.2, revision: 2, arms: [{}, { valueModel: { noDiversity: true } }] },
      change: { fields: [{ field: "traffic", before: "0.1", after: "0.2" }] },
    });
  });

  test("leads from draft to shipped and back", async () => {
    await call("Create", { experiment: wire });
    const id = "home-new";
    const steps = [
      await call("Start", { id, revision: 1 }),
      await call("Pause", { id, revision: 2 }),
      await call("Start", { id, revision: 3 }),
      await call("Kill", { id, reason: "latency" }),
      await call("Revive", { id, revision: 5 }),
      await call("Stop", { id, revision: 6, winner: "kd" }),
      await call("Ship", { id, revision: 7 }),
    ];
    expect(steps.map(({ code, message }) => [code, (message["experiment"] as Experiment)?.status])).toEqual(
      ["running", "paused", "running", "running", "running", "stopped", "stopped"].map((one) => ["OK", one]),
    );
    expect((await call("ListSurfaces", {})).message).toMatchObject({
      surfaces: [{ surface: "home", origin: "shipped", arm: "kd", valueModel: { noDiversity: true } }],
    });
    expect((await call("RestoreSurface", { surface: "home", revision: 1 })).message).toMatchObject({
      surface: { origin: "configuration", model: { name: "home-control" }, revision: 2 },
    });
    expect((await call("SurfaceHistory", { surface: "home" })).message).toMatchObject({
      revisions: [{ shipped: { arm: "kd" } }, { shipped: null }],
    });
  });

  test("moves the kill switch", async () => {
    await call("SetKillSwitch", { on: true, reason: "latency" });
    expect((await call("GetKillSwitch", {})).message).toEqual({ on: true, reason: "latency", revision: 1 });
    expect((await call("SetKillSwitch", { on: false })).detail).toContain("revision: expected");
    await call("SetKillSwitch", { on: false, revision: 1 });
    expect((await call("KillSwitchHistory", {})).message).toMatchObject({
      revisions: [{ killSwitch: { on: true } }, { killSwitch: { on: false }, what: "off" }],
    });
  });

  test("imports several, and as a dry run none", async () => {
    const experiments = [wire];
    const would = await call("Import", { experiments, dryRun: true });
    expect(would.message).toMatchObject({
      experiments: [{ change: { dryRun: true, what: "created, draft" } }],
    });
    expect(store.list()).toHaveLength(1);
    await call("Import", { experiments });
    expect(store.list()).toHaveLength(2);
  });

  test.each<[string, string, object, string, string]>([
    [
      "a stale revision",
      "Start",
      { id: "home-kd", revision: 1 },
      "ABORTED",
      "revision: home-kd stands at revision 3",
    ],
    [
      "no revision",
      "Stop",
      { id: "home-kd" },
      "INVALID_ARGUMENT",
      "revision: expected the one that was read",
    ],
    [
      "a duplicate id",
      "Create",
      { experiment: { ...wire, id: "home-kd" } },
      "ABORTED",
      "id: there is an experiment",
    ],
    ["no document", "Create", {}, "INVALID_ARGUMENT", "id: expected, but missing"],
    ["no reason", "Kill", { id: "home-kd" }, "INVALID_ARGUMENT", "reason: expected why"],
    ["an unknown experiment", "Start", { id: "x", revision: 1 }, "NOT_FOUND", 'id: no experiment "x"'],
    [
      "an unknown surface",
      "RestoreSurface",
      { surface: "x", revision: 1 },
      "NOT_FOUND",
      'surface: no surface "x"',
    ],
  ])("is refused as over HTTP: %s", async (_why, method, message, code, detail) => {
    const answer = await call(method, message);
    expect([answer.code, answer.detail]).toEqual([code, expect.stringContaining(detail)]);
    expect(store.list()).toEqual([testExperiment]);
  });

  test("whose bytes are no such message is its sender's fault", async () => {
    const answer = await call("Create", Buffer.from([0x0a, 0x7f, 0x01]));
    expect(answer.code).toBe("INVALID_ARGUMENT");
    expect(answer.detail).toContain("malformed protobuf");
  });
});
