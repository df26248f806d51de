import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Experiment } from "../../src/domain/experiment.ts";
import type { ExperimentHealth } from "../../src/domain/experiment-health.ts";
import { startGroup } from "../support/process-group.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";
import { tinyModels } from "../support/tiny-models.ts";

/** From the detection of a breach until every request is served by control. */
const rolledBackMsMax = 5_000;

let folder: { path: string; remove: () => Promise<void> };
let app: RunningApp;
beforeEach(async () => {
  folder = await suiteFolder();
  await mkdir(join(folder.path, "experiments"));
  app = await startApp(join(folder.path, "data"), {
    models: tinyModels,
    experiments: join(folder.path, "experiments"),
    surfaces: new Map([["home", { defaultModel: { name: "linear" }, timeoutMs: 10_000 }]]),
    guardrails: { checkMs: 200, logCheckMs: 500 },
  });
});
afterEach(async () => {
  await app.stop();
  await folder.remove();
});

async function started(over: object, treated = "slow"): Promise<void> {
  const document = {
    id: "exp",
    surface: "home",
    layer: "home",
    arms: [
      { id: "control", control: true, model: { name: "linear" } },
      { id: "treated", model: { name: treated } },
    ],
    ...over,
  };
  const created = await app.send("POST", "/v1/experiments", document);
  expect(created.status, created.text).toBe(201);
  expect((await app.send("POST", "/v1/experiments/exp/start", undefined, 1)).status).toBe(200);
}

const experiment = async () => (await app.send("GET", "/v1/experiments/exp")).body as unknown as Experiment;
const health = async () =>
  (await app.send("GET", "/v1/experiments/exp/health")).body as unknown as ExperimentHealth;

interface Served {
  /** ms since 1970. */
  readonly sentAt: number;
  readonly model: string;
}

/** A client that ranks one request after the other, until it is stopped. */
function client(candidates = 1_000, timeoutMs = 10_000) {
  const served: Served[] = [];
  let over = false;
  const run = (async () => {
    for (let unit = 0; !over; unit++) {
      const sentAt = Date.now();
      const { body } = await app.send("POST", "/v1/rank", {
        surface: "home",
        user: { id: `u${unit}` },
        candidateIds: Array.from({ length: candidates }, (_, i) => `t${i}`),
        timeoutMs,
      });
      const { model } = body as { model?: { name: string } };
      served.push({ sentAt, model: model?.name ?? "none" });
    }
  })();
  return {
    served,
    async stop(): Promise<void> {
      over = true;
      await run;
    },
  };
}

test("a deliberately slow arm is rolled back: all requests are control's within 5 s, and the history says why", async () => {
  await started({
    guardrails: [{ kind: "latency-p99", maxMs: 30, action: "rollback", minimum: 20, owner: "team-latency" }],
  });
  const load = client();
  await expect.poll(async () => (await experiment()).killed).toBeDefined();
  const { breach, killed } = await experiment();
  await new Promise((resolve) => setTimeout(resolve, 500));
  await load.stop();

  const detected = Date.parse(breach?.at ?? "");
  const lastSlow = load.served.findLast(({ model }) => model === "slow");
  const tookMs = Math.max(0, (lastSlow?.sentAt ?? 0) - detected);
  console.info(`the last request that the slow arm served came ${tookMs} ms after the breach was detected`);
  expect(tookMs).toBeLessThan(rolledBackMsMax);
  expect(load.served.filter(({ sentAt }) => sentAt > detected + tookMs).length).toBeGreaterThan(10);

  expect(breach).toMatchObject({
    guardrail: "latency-p99",
    action: "rollback",
    alpha: 0.005, // half, of the first window
    thanks: "team-latency",
    evidence: { arm: "treated", state: "breached" },
  });
  expect(breach?.evidence.estimate).toBeGreaterThan(breach?.evidence.bound ?? Number.POSITIVE_INFINITY);
  expect(killed).toMatch(/^guardrail latency-p99: arm treated: p99 is .* ms; .* thanks to team-latency$/);
  const { body } = await app.send("GET", "/v1/experiments/exp/history");
  const [, , last] = (body as { revisions: { who: string; what: string; experiment: Experiment }[] })
    .revisions;
  expect(last).toMatchObject({ who: "guardrail", what: `killed: ${killed}`, experiment: { breach } });
  const metrics = await app.send("GET", "/metrics");
  expect(metrics.text).toMatch(
    /^setlist_guardrail_breaches_total\{experiment="exp",guardrail="latency-p99",action="rollback"\} 1$/m,
  );
  expect(metrics.text).toMatch(
    /^setlist_guardrail_state\{experiment="exp",guardrail="latency-p99",state="breached"\} 1$/m,
  );
});

test("a ramp goes on by itself, is held while an arm's answers fall back, and goes on after a restart", async () => {
  const ramp = [{ traffic: 0.5, for: "1s" }, { traffic: 0.8, for: "1s" }, { traffic: 1 }];
  const fallbacks = { kind: "fallback-rate", margin: 0.3, minimum: 5, window: "1s" };
  await started({ ramp, guardrails: [fallbacks] }, "curved");
  const traffic = async () => (await experiment()).traffic;

  // Without requests nobody can tell that it is healthy.
  await expect.poll(async () => (await health()).ramp?.passedMs).toBeGreaterThan(1_000);
  expect(await health()).toMatchObject({ state: "undecided", ramp: { step: 1, steps: 3, nextTraffic: 0.8 } });
  expect(await traffic()).toBe(0.5);
  const sound = client(2);
  await expect.poll(traffic).toBeGreaterThan(0.5);
  await sound.stop();
  const { config } = app;
  await app.stop();
  app = await startApp(config.dataDir, config);
  const again = client(2);
  await expect.poll(traffic).toBe(1);
  await again.stop();
  const { body } = await app.send("GET", "/v1/experiments/exp/history");
  const revisions = (body as { revisions: { who: string; what: string; at: string }[] }).revisions.slice(1);
  expect(revisions.map(({ who, what }) => `${who}: ${what}`)).toEqual([
    "ada: status draft to running",
    "ramp: traffic 0.5 to 0.8; step 2 of 3, after 1s with healthy guardrails: fallback-rate",
    "ramp: traffic 0.8 to 1; step 3 of 3, after 1s with healthy guardrails: fallback-rate",
  ]);
  const times = revisions.map(({ at }) => Date.parse(at));
  expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test("an arm that answers too late is held where its ramp stands, and says so wherever it is shown", async () => {
  const ramp = [{ traffic: 0.5, for: "1s" }, { traffic: 1 }];
  await started({ ramp, guardrails: [{ kind: "fallback-rate", max: 0.1, minimum: 20 }] });
  const load = client(1_000, 20);
  await expect.poll(async () => (await experiment()).breach).toBeDefined();
  await load.stop();
  expect(await experiment()).toMatchObject({
    status: "running",
    traffic: 0.5,
    breach: { guardrail: "fallback-rate", action: "hold", thanks: "ada", evidence: { arm: "treated" } },
  });
  expect(await health()).toMatchObject({ state: "breached", ramp: { step: 1, passedMs: 0 } });
  expect((await experiment()).killed).toBeUndefined();
});

test("what the log says is acted on too: an arm whose metric falls is rolled back", async () => {
  await started(
    {
      metrics: [{ id: "plays", type: "proportion", outcome: "play", role: "guardrail" }],
      guardrails: [
        { kind: "metric", metric: "plays", margin: 0.2, action: "rollback", minimum: 20 },
        { kind: "srm" },
      ],
    },
    "curved",
  );
  const outcomes: object[] = [];
  for (let unit = 0; unit < 400; unit++) {
    const { body } = await app.post("/v1/rank", {
      surface: "home",
      user: { id: `u${unit}` },
      candidateIds: ["t1", "t2"],
      requestId: `r${unit}`,
    });
    const [assigned] = (body as { assignments: { arm: string }[] }).assignments;
    if (assigned?.arm === "control" ? unit % 5 === 0 : unit % 10 !== 0) continue;
    outcomes.push({
      outcomeId: `o${unit}`,
      requestId: `r${unit}`,
      itemId: "t1",
      type: "play",
      value: 1,
      occurredAt: new Date().toISOString(),
    });
  }
  expect((await app.post("/v1/outcomes", { outcomes })).body).toMatchObject({ accepted: outcomes.length });
  await expect.poll(async () => (await experiment()).killed).toBeDefined();
  expect((await experiment()).breach).toMatchObject({
    kind: "metric",
    evidence: { arm: "treated", state: "breached" },
  });
  const { estimate = 1, control = 0 } = (await experiment()).breach?.evidence ?? {};
  expect(estimate).toBeLessThan(0.2);
  expect(control).toBeGreaterThan(0.7);
  const srm = (await health()).guardrails.find(({ kind }) => kind === "srm");
  expect(srm).toMatchObject({ state: "healthy", arms: [{ bound: 0.5 }] });
});

test("several processes are counted together, and a rollback reaches all of them", async () => {
  await writeFile(
    join(folder.path, "group.yaml"),
    JSON.stringify({
      models: tinyModels,
      experiments: "experiments",
      guardrails: { checkMs: 200 },
      surfaces: { home: { defaultModel: { name: "linear" }, timeoutMs: 10_000 } },
    }),
  );
  await writeFile(
    join(folder.path, "experiments", "exp.yaml"),
    JSON.stringify({
      id: "exp",
      surface: "home",
      layer: "home",
      status: "running",
      arms: [
        { id: "control", control: true, model: { name: "linear" } },
        { id: "treated", model: { name: "slow" } },
      ],
      guardrails: [{ kind: "latency-p99", maxMs: 30, action: "rollback", minimum: 10 }],
    }),
  );
  const group = await startGroup(join(folder.path, "group"), {
    flags: ["--config", join(folder.path, "group.yaml")],
  });
  const served: Served[] = [];
  const rank = async (unit: number): Promise<void> => {
    const sentAt = Date.now();
    const { text } = await group.call("POST", "/v1/rank", {
      surface: "home",
      user: { id: `u${unit}` },
      candidateIds: Array.from({ length: 1_000 }, (_, i) => `t${i}`),
    });
    served.push({ sentAt, model: (JSON.parse(text) as { model: { name: string } }).model.name });
  };
  const seen = async () =>
    JSON.parse((await group.call("GET", "/v1/experiments/exp/health")).text) as ExperimentHealth;
  let last = await seen();
  for (let unit = 0; last.killed === undefined && unit < 2_000; unit++) {
    await rank(unit);
    if (unit % 5 === 0) last = await seen();
  }
  for (let unit = 0; unit < 100; unit++) await rank(unit);
  const detected = Date.parse(last.breach?.at ?? "");
  const lastSlow = served.findLast(({ model }) => model === "slow");
  const tookMs = Math.max(0, (lastSlow?.sentAt ?? 0) - detected);
  console.info(`over two processes the last such request came ${tookMs} ms after the detection`);
  expect(tookMs).toBeLessThan(rolledBackMsMax);
  expect(last).toMatchObject({
    state: "breached",
    breach: { guardrail: "latency-p99", thanks: "configuration" },
  });
  const { text } = await group.call("GET", "/metrics");
  expect(text).toMatch(/^setlist_guardrail_breaches_total\{.*action="rollback".*\} 1$/m);
  group.signal("SIGTERM");
  expect(await group.ended).toBe(0);
});
