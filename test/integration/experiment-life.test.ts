import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRegistry } from "../../src/registry/registry.ts";
import { breakGraph, type ScratchRepository, scratchRepository } from "../support/model-repository.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

/** One server through all of it: a start costs more than everything else. Each test has an experiment of its own. */
let folder: { path: string; remove: () => Promise<void> };
let repository: ScratchRepository;
let app: RunningApp;

beforeAll(async () => {
  folder = await suiteFolder();
  repository = await scratchRepository(folder.path);
  await repository.publish("home-control", "1");
  await repository.publish("home-kd", "1");
  await repository.publish("home-kd", "2");
  await repository.publish("home-kd", "3", breakGraph);
  await mkdir(join(folder.path, "experiments"));
  app = await startApp(join(folder.path, "data"), {
    models: repository.path,
    experiments: join(folder.path, "experiments"),
    surfaces: new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 10_000 }]]),
  });
});
afterAll(async () => {
  await app.stop();
  await folder.remove();
});

/** Everyone is in the treated arm, so that any unit shows what serves. */
const documentOf = (id: string, version?: string) => ({
  id,
  surface: "home",
  layer: id,
  arms: [
    { id: "control", control: true, weight: 0, model: { name: "home-control" } },
    { id: "treated", weight: 1, model: { name: "home-kd", ...(version !== undefined && { version }) } },
  ],
});

interface Listed {
  readonly experiments: readonly { readonly revision: number }[];
  readonly surfaces: readonly { readonly revision: number }[];
}

async function ranked(): Promise<{ model: string; arms: string[]; reasons: Record<string, string> }> {
  const { body } = await app.post("/v1/rank", {
    surface: "home",
    user: { id: "u1" },
    candidateIds: ["t1", "t2"],
    explain: true,
  });
  const { model, assignments, decisions } = body as {
    model: { name: string; version: string };
    assignments: { experiment: string; arm: string }[];
    decisions: { experiment: string; reason: string }[];
  };
  return {
    model: `${model.name}/${model.version}`,
    arms: assignments.map(({ experiment, arm }) => `${experiment} ${arm}`),
    reasons: Object.fromEntries(decisions.map(({ experiment, reason }) => [experiment, reason])),
  };
}

async function started(id: string, version?: string): Promise<void> {
  expect((await app.send("POST", "/v1/experiments", documentOf(id, version))).status).toBe(201);
  expect((await app.send("POST", `/v1/experiments/${id}/start`, undefined, 1)).status).toBe(200);
}

async function versionsServing(): Promise<string[]> {
  const { body } = await app.get("/v1/models");
  return (body as { models: { name: string; version: string }[] }).models.map(
    ({ name, version }) => `${name}/${version}`,
  );
}

test("an answer to a write holds from the next request on: started, paused, started again, stopped", async () => {
  expect(await ranked()).toMatchObject({ model: "home-control/1", arms: [] });
  await app.send("POST", "/v1/experiments", documentOf("moves"));
  expect(await ranked()).toMatchObject({ model: "home-control/1", reasons: { moves: "status" } });
  await app.send("POST", "/v1/experiments/moves/start", undefined, 1);
  expect(await ranked()).toMatchObject({ model: "home-kd/2", arms: ["moves treated"] });
  await app.send("POST", "/v1/experiments/moves/pause", undefined, 2);
  expect(await ranked()).toMatchObject({ model: "home-control/1", arms: [] });
  await app.send("POST", "/v1/experiments/moves/start", undefined, 3);
  expect(await ranked()).toMatchObject({ model: "home-kd/2", arms: ["moves treated"] });
  await app.send("POST", "/v1/experiments/moves/stop", undefined, 4);
  expect(await ranked()).toMatchObject({ model: "home-control/1", arms: [] });
});

test("a model that nobody asked for so far is loaded before the experiment that names it is written", async () => {
  expect(await versionsServing()).not.toContain("home-kd/1");
  await started("older", "1");
  expect(await versionsServing()).toContain("home-kd/1");
  expect(await ranked()).toMatchObject({ model: "home-kd/1", arms: ["older treated"] });
  await app.send("POST", "/v1/experiments/older/stop", undefined, 2);
});

test.each<[string, string, string]>([
  ["cannot be loaded", "3", "home-kd/3 cannot be served"],
  ["is not in the repository", "9", "no version 9 of home-kd"],
])(
  "a version that %s is refused with its field and why, and nothing is written",
  async (_why, version, detail) => {
    const refused = await app.send("POST", "/v1/experiments", documentOf("broken", version));
    expect(refused.status).toBe(400);
    expect(refused.body["detail"]).toMatch(/^arms\[1\]\.model/);
    expect(refused.body["detail"]).toContain(detail);
    expect((await app.get("/v1/experiments/broken")).status).toBe(404);
  },
);

test("a killed experiment assigns nobody from the next request on, and says so; revived, everyone is back", async () => {
  await started("emergency");
  expect(await ranked()).toMatchObject({ model: "home-kd/2" });
  await app.send("POST", "/v1/experiments/emergency/kill", { reason: "latency" });
  expect(await ranked()).toMatchObject({
    model: "home-control/1",
    arms: [],
    reasons: { emergency: "killed" },
  });
  await app.send("POST", "/v1/experiments/emergency/revive", undefined, 3);
  expect(await ranked()).toMatchObject({ model: "home-kd/2", arms: ["emergency treated"] });
  await app.send("POST", "/v1/kill-switch", { on: true, reason: "all of it" });
  expect(await ranked()).toMatchObject({
    model: "home-control/1",
    arms: [],
    reasons: { emergency: "killed" },
  });
  const metrics = await app.get("/metrics");
  expect(metrics.body).toMatch(/^setlist_kill_switch 1$/m);
  const { body: listed } = await app.get("/v1/experiments");
  const { body: served } = await app.get("/v1/surfaces");
  const documents = [...(listed as Listed).experiments, ...(served as Listed).surfaces];
  const revisions = documents.reduce((sum, { revision }) => sum + revision, 0);
  // And the kill switch's first.
  expect(metrics.body).toMatch(new RegExp(`^setlist_experiment_revisions ${revisions + 1}$`, "m"));
  await app.send("POST", "/v1/kill-switch", { on: false }, 1);
  expect(await ranked()).toMatchObject({ model: "home-kd/2", arms: ["emergency treated"] });
  await app.send("POST", "/v1/experiments/emergency/stop", undefined, 4);
});

test("a shipped arm serves everyone, over a restart too, until the configuration's default is restored", async () => {
  await started("winner", "1");
  await app.send("POST", "/v1/experiments/winner/ship", { arm: "treated" }, 2);
  expect(await ranked()).toMatchObject({ model: "home-kd/1", arms: [] });
  const { config } = app;
  await app.stop();
  app = await startApp(config.dataDir, config);
  expect(await ranked()).toMatchObject({ model: "home-kd/1", arms: [] });
  await app.send("POST", "/v1/surfaces/home/restore", undefined, 1);
  expect(await ranked()).toMatchObject({ model: "home-control/1", arms: [] });
});

test("what another process writes into the data directory is in effect there; what needs a model waits for it", async () => {
  await started("outside");
  const other = openRegistry({ dataDir: app.dataDir, clock: { now: Date.now, monotonic: performance.now } });
  const standing = other.get("outside");
  const next = (version: string, revision: number) => ({
    ...(standing as NonNullable<typeof standing>),
    arms: documentOf("outside", version).arms.map((arm) => ({ control: false, ...arm })),
    revision,
    phase: revision - 1,
  });
  await other.write("ada", () => ({ experiments: [{ document: next("1", 3), what: "arms" }] }));
  await expect.poll(async () => (await ranked()).model).toBe("home-kd/1");

  // A version that cannot be loaded holds up its own experiment, which goes on as it was, and nothing else.
  await other.write("ada", () => ({ experiments: [{ document: next("3", 4), what: "arms" }] }));
  await started("beside");
  expect(await ranked()).toMatchObject({
    model: "home-kd/2",
    arms: ["beside treated", "outside treated"],
  });
  await app.send("POST", "/v1/experiments/beside/stop", undefined, 2);
  expect(await ranked()).toMatchObject({ model: "home-kd/1", arms: ["outside treated"] });
  await other.write("ada", () => ({
    experiments: [{ document: { ...next("3", 5), phase: 3, killed: "latency" }, what: "killed" }],
  }));
  await expect.poll(async () => (await ranked()).model).toBe("home-control/1");
  await other.close();
});

test("a folder of experiments that changed since does not change the store", async () => {
  await writeFile(join(folder.path, "experiments", "late.yaml"), JSON.stringify(documentOf("late")));
  const { config } = app;
  await app.stop();
  app = await startApp(config.dataDir, config);
  expect((await app.get("/v1/experiments/late")).status).toBe(404);
});
