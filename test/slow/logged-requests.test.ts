/** What the whole server logs of a request, by configuration, through either door and from several processes. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { analyzeDataDirectory } from "../../src/app/data/analyze-data.ts";
import { defaults } from "../../src/config/defaults.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { Model } from "../../src/domain/model.ts";
import { encodeServed } from "../../src/features/features.ts";
import { openScorer } from "../../src/inference/inference.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { documentWith } from "../support/experiments.ts";
import { grpcCaller } from "../support/grpc-caller.ts";
import { recordsIn } from "../support/outcomes-log.ts";
import { startGroup } from "../support/process-group.ts";
import { rankMessage } from "../support/rank-message.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { realClock } from "../support/tiny-models.ts";

const key = "0123456789abcdef0123456789abcdef";
/** As Python's `hmac` says. */
const pseudonymOfU1 = "hmac:OVNrwMIObvzSLsMLuW7sWg";

const candidateIds = Array.from({ length: 40 }, (_, i) => `t${1 + i * 3}`);
const experiment = documentWith({
  id: "home-kd",
  layer: "home-ranker",
  arms: [
    { id: "control", control: true, weight: 1, model: { name: "home-control", version: "1" } },
    { id: "kd", control: false, weight: 1, model: { name: "home-kd", version: "1" } },
  ],
  metrics: [
    { id: "clicks", type: "mean", outcome: "click", aggregate: "count", goal: "increase", role: "primary" },
    {
      id: "signups",
      type: "mean",
      outcome: "signup",
      aggregate: "count",
      goal: "increase",
      role: "guardrail",
    },
  ],
});

const folders = new AsyncDisposableStack();
let app: RunningApp;
let impressions: Impression[];
beforeAll(async () => {
  const [data, documents] = [await suiteFolder(), await suiteFolder()];
  for (const { remove } of [data, documents]) folders.defer(remove);
  await writeFile(join(documents.path, "home-kd.yaml"), JSON.stringify(experiment));
  const log = {
    ...defaults.log,
    servedFeatures: { share: 1 },
    candidatesBeyondLimit: 3,
    userIdKey: key,
  };
  app = await startApp(data.path, { experiments: documents.path, log });
  for (const user of ["u1", "u2", "u3", "u4", "u5", "u6"]) {
    const attributes = { country: "DE", premium: true };
    const request = { surface: "home", limit: 20, candidateIds, timeoutMs: 20_000 };
    const body = { ...request, requestId: `http-${user}`, user: { id: user, attributes } };
    expect((await app.post("/v1/rank", body)).body).toMatchObject({ degraded: [] });
    const caller = grpcCaller(app.grpc);
    const message = rankMessage({ ...body, requestId: `grpc-${user}` });
    const answer = await caller.call("setlist.v1.RankingService", "Rank", message);
    caller.close();
    expect(answer).toMatchObject({ code: "OK", detail: "" });
    const outcome = { outcomeId: `click-${user}`, requestId: `http-${user}`, itemId: "t4", type: "click" };
    await app.post("/v1/outcomes", { outcomes: [outcome] });
    await app.post("/ofrep/v1/track", trackedSignup(user));
  }
  await app.stop();
  impressions = (await recordsIn(join(data.path, "log"))).filter((one) => one.kind === "impression");
});
afterAll(() => folders.disposeAsync());

const trackedSignup = (user: string) => ({
  events: [{ outcomeId: `signup-${user}`, name: "signup", context: { targetingKey: user } }],
});

test("both doors log the same of the same request", () => {
  const [http, grpc] = ["http-u1", "grpc-u1"].map((id) =>
    impressions.find(({ requestId }) => requestId === id),
  );
  expect(http?.beyondLimit?.map(({ position }) => position)).toEqual([21, 22, 23]);
  expect(http?.attributes).toEqual({ user: { country: "DE", premium: true } });
  expect(http?.served?.[0]).toMatchObject({ model: http?.model, rows: 23 });
  expect({ ...grpc, requestId: "", at: 0, timings: {} }).toStrictEqual({
    ...http,
    requestId: "",
    at: 0,
    timings: {},
  });
});

test("what was served is scored from the log alone to the same probabilities, bit for bit", async () => {
  const scorer = await openScorer({
    repository: app.config.models,
    workers: 1,
    batchRowsMax: 800,
    queueRequestsMax: 100,
    clock: realClock,
  });
  try {
    for (const impression of impressions) {
      const model = scorer.resolve(impression.model as Model) as Model;
      const items = [...impression.items, ...(impression.beyondLimit ?? [])];
      const encoded = encodeServed(model, { ...impression, items });
      const { probabilities } = await scorer.score(model, encoded as NonNullable<typeof encoded>, Infinity);
      expect([...probabilities]).toStrictEqual(
        items.flatMap(({ tasks }) => model.tasks.map((task) => tasks[task])),
      );
    }
  } finally {
    await scorer.close();
  }
  expect(new Set(impressions.map(({ model }) => model?.name))).toEqual(new Set(["home-control", "home-kd"]));
});

test("the log holds pseudonyms, and units, arms and outcomes meet in the analysis as they do without", async () => {
  const records = await recordsIn(join(app.dataDir, "log"));
  const first = impressions.find(({ requestId }) => requestId === "http-u1");
  expect(first).toMatchObject({ userId: pseudonymOfU1, assignments: [{ unit: pseudonymOfU1 }] });
  expect(records.find((one) => one.kind === "outcome" && one.outcomeId === "signup-u1")).toMatchObject({
    requestId: `user:${pseudonymOfU1}`,
  });
  const report = await analyzeDataDirectory({ dataDir: app.dataDir, experiment: "home-kd", alpha: 0.05 });
  expect(report.arms.reduce((sum, { units }) => sum + units, 0)).toBe(6);
  const shown = impressions.filter(
    ({ requestId, items }) => requestId.startsWith("http") && items.some(({ id }) => id === "t4"),
  );
  expect(shown.length).toBeGreaterThan(0);
  const total = (id: string): number =>
    report.metrics
      .filter(({ metric }) => metric === id)
      .flatMap(({ arms }) => arms)
      .reduce((sum, { mean, units }) => sum + (mean ?? 0) * units, 0);
  expect(total("clicks")).toBeCloseTo(shown.length, 9);
  expect(total("signups")).toBeCloseTo(6, 9);
});

test("several processes log one user by one pseudonym, choose one share, and never print the key", async () => {
  const dataDir = await temporaryFolder();
  const keyFile = join(await temporaryFolder(), "user-id.key");
  await writeFile(keyFile, `${key}\n`);
  const group = await startGroup(dataDir, {
    env: {
      SETLIST_LOG_USER_ID_KEY_FILE: keyFile,
      SETLIST_LOG_SERVED_FEATURES_SHARE: "0.5",
      SETLIST_LOG_CANDIDATES_BEYOND_LIMIT: "2",
    },
  });
  for (let i = 0; i < 24; i++) {
    const body = { requestId: `r${i % 12}`, surface: "home", user: { id: "u1" }, candidateIds, limit: 5 };
    expect((await group.call("POST", "/v1/rank", body)).status).toBe(200);
  }
  group.signal("SIGTERM");
  await group.ended;
  const logged = (await recordsIn(join(dataDir, "log"))).filter((one) => one.kind === "impression");
  expect(logged).toHaveLength(24);
  expect(new Set(logged.map(({ userId }) => userId))).toEqual(new Set([pseudonymOfU1]));
  expect(logged.every(({ beyondLimit }) => beyondLimit?.length === 2)).toBe(true);
  const kept = logged.filter(({ served }) => served !== undefined).map(({ requestId }) => requestId);
  const chosen = logged
    .map(({ requestId }) => requestId)
    .filter((id) => isInShare(0.5, id, "served-features"));
  expect(kept).toEqual(chosen);
  expect(new Set(kept).size).toBeGreaterThan(0);
  expect(new Set(kept).size).toBeLessThan(12);
  expect(JSON.stringify(group.lines)).not.toContain(key);
});
