import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SetlistConfig } from "../../src/config.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import type { ShadowComparison, ShadowSpec } from "../../src/domain/shadow.ts";
import { readLog, verifyLog } from "../../src/outcomes/outcomes.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { eventually } from "../support/eventually.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { manifestOf, tinyModels } from "../support/tiny-models.ts";
import { writeWorld } from "../support/tiny-world.ts";

const timeoutMs = 10_000;
const candidateIds = Array.from({ length: 200 }, (_, i) => `t${i + 1}`);
const requestOf = (index: number) => ({
  requestId: `request-${index}`,
  surface: "home",
  user: { id: `u${index + 1}` },
  candidateIds,
});

/** How many of the surface's requests ended so. */
async function resultsOf(app: RunningApp): Promise<Record<string, number>> {
  const { body } = await app.get("/metrics");
  const lines = String(body).matchAll(/^setlist_shadow_total\{surface="home",result="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, result, count]) => [result, Number(count)]));
}

async function settled(app: RunningApp, count: number): Promise<Record<string, number>> {
  const sum = async (): Promise<number> =>
    Object.values(await resultsOf(app)).reduce((total, some) => total + some, 0);
  await eventually(async () => expect(await sum()).toBe(count));
  return resultsOf(app);
}

async function recordsOf({ dataDir }: RunningApp): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of readLog(join(dataDir, "log"))) records.push(record);
  return records;
}

const isComparison = (record: LogRecord): record is ShadowComparison => record.kind === "shadow";

describe("the committed models, home-kd looking on where home-control serves", () => {
  const count = 12;
  let folder: Awaited<ReturnType<typeof suiteFolder>>;
  /** The control with its shadow, the control alone, and what is the shadow there. */
  let shadowed: RunningApp;
  let alone: RunningApp;
  let other: RunningApp;
  const answers: string[] = [];

  const start = async (name: string, model: string, shadow?: ShadowSpec): Promise<RunningApp> => {
    const surfaces: SetlistConfig["surfaces"] = new Map([
      ["home", { defaultModel: { name: model }, timeoutMs, shadow }],
    ]);
    const experiments = join(folder.path, "experiments");
    await mkdir(experiments, { recursive: true });
    return startApp(join(folder.path, name), { surfaces, experiments });
  };
  beforeAll(async () => {
    folder = await suiteFolder();
    shadowed = await start("shadowed", "home-control", { model: { name: "home-kd" }, share: 1, topK: 10 });
    alone = await start("alone", "home-control");
    other = await start("other", "home-kd");
    for (let index = 0; index < count; index++) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(requestOf(index));
      const answer = await fetch(`${shadowed.http}/v1/rank`, { method: "POST", headers, body });
      answers.push(await answer.text());
      await settled(shadowed, index + 1);
    }
  });
  afterAll(async () => {
    await Promise.all([shadowed, alone, other].map((app) => app.stop()));
    await folder.remove();
  });

  test("answers are what they are without a shadow, byte for byte", async () => {
    for (const [index, answer] of answers.entries()) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(requestOf(index));
      const same = await fetch(`${alone.http}/v1/rank`, { method: "POST", headers, body });
      expect(await same.text()).toBe(answer);
    }
    expect(await resultsOf(alone)).toEqual({});
  });

  test("every request is compared, in the metrics and in the log", async () => {
    expect(await resultsOf(shadowed)).toEqual({ compared: count });
    const metrics = String((await shadowed.get("/metrics")).body);
    for (const name of ["tau", "overlap", "score_difference"]) {
      expect(metrics).toContain(`setlist_shadow_${name}_count{surface="home"} ${count}`);
    }
    const records = await recordsOf(shadowed);
    const shown = records
      .filter(({ kind }) => kind === "impression")
      .map((one) => "requestId" in one && one.requestId);
    expect(shown).toHaveLength(count);
    expect(records.filter(isComparison).map(({ requestId }) => requestId)).toEqual(shown);
    expect(await verifyLog(join(shadowed.dataDir, "log"))).toMatchObject({
      impressions: count,
      outcomes: 0,
      shadows: count,
      corrupt: [],
    });
  });

  test("the numbers are those of the two models' whole answers", async () => {
    interface Answer {
      readonly items: readonly { readonly id: string; readonly score: number }[];
    }
    const comparisons = (await recordsOf(shadowed)).filter(isComparison);
    for (const [index, answer] of answers.entries()) {
      const { items: served } = JSON.parse(answer) as Answer;
      const { items } = (await other.post("/v1/rank", requestOf(index))).body as Answer;
      const scores = new Map(items.map(({ id, score }) => [id, score]));
      const pairs = served.map(({ id, score }) => [score, scores.get(id) as number] as const);
      let concordance = 0;
      for (const [i, [a, b]] of pairs.entries()) {
        for (const [c, d] of pairs.slice(0, i)) concordance += Math.sign((a - c) * (b - d));
      }
      const best = items.slice(0, 10).map(({ id }) => id);
      const shared = served.slice(0, 10).filter(({ id }) => best.includes(id)).length;
      const difference = pairs.reduce((sum, [a, b]) => sum + Math.abs(a - b), 0) / pairs.length;
      expect(comparisons[index]).toMatchObject({
        requestId: `request-${index}`,
        surface: "home",
        model: { name: "home-control", version: "1" },
        shadow: { name: "home-kd", version: "1" },
        candidateCount: 200,
        topK: 10,
        // A run of other candidates beside them may change a probability's last bit, and with it a near tie.
        tau: expect.closeTo(concordance / ((200 * 199) / 2), 3),
        overlap: expect.closeTo(shared / 10, 9),
        scoreDifference: expect.closeTo(difference, 5),
      });
    }
  });

  test("the version that looks on cannot be unloaded", async () => {
    const { status, body } = await shadowed.post("/v1/models/home-kd/versions/1/unload", {});
    expect(status).toBe(409);
    expect((body as { detail: string }).detail).toContain("the shadow of surface home");
  });

  test("a share of the requests is the one that their ids say", async () => {
    const share = 0.4;
    const app = await start("share", "home-control", { model: { name: "home-kd" }, share, topK: 10 });
    try {
      const ids = Array.from({ length: 30 }, (_, index) => `request-${index}`);
      for (const [index] of ids.entries()) {
        await app.post("/v1/rank", requestOf(index));
        await delay(5);
      }
      const expected = ids.filter((id) => isInShare(share, id));
      expect(expected.length).toBeGreaterThan(3);
      await settled(app, expected.length);
      expect(await resultsOf(app)).toEqual({ compared: expected.length });
      const logged = (await recordsOf(app)).filter(isComparison).map(({ requestId }) => requestId);
      expect(logged).toEqual(expected);
    } finally {
      await app.stop();
    }
  });

  test.each([
    [
      "a model that is not there",
      { name: "home-dk" },
      'surfaces.home.shadow.model: no student "home-dk" (did you mean "home-kd"?)',
    ],
    [
      "a version that is not there",
      { name: "home-kd", version: "9" },
      "surfaces.home.shadow.model: no version 9 of home-kd (known: 1)",
    ],
    [
      "another surface's model",
      { name: "radio-kd" },
      "surfaces.home.shadow.model: radio-kd is a model of surface radio",
    ],
    [
      "a teacher",
      { name: "video-teacher" },
      'surfaces.home.shadow.model: no student "video-teacher" (known: home-control, home-kd)',
    ],
  ])("%s as a shadow stops the start", async (_what, model, message) => {
    await expect(start("refused", "home-control", { model, share: 1, topK: 10 })).rejects.toThrow(message);
  });
});

test("a shadow model that fails does so alone: answers are as ever, and the next request is compared", async () => {
  const folder = await temporaryFolder();
  const models = join(folder, "models");
  await cp(join(tinyModels, "linear"), join(models, "linear"), { recursive: true });
  await cp(join(tinyModels, "brittle"), join(models, "brittle"), { recursive: true });
  const manifest = { ...(await manifestOf("brittle")), surface: "home" };
  await writeFile(join(models, "brittle", "1", "manifest.json"), JSON.stringify(manifest));
  const item = (popularity: number) => ({ popularity, content: [0, 0], genre: "rock", artist: "a" });
  const app = await startApp(join(folder, "data"), {
    models,
    experiments: await temporaryFolder(),
    world: await writeWorld(join(folder, "world"), {
      users: { u1: { taste: [0.5, 0] } },
      items: { t1: item(0.25), t2: item(0.5) },
    }),
    surfaces: new Map([
      [
        "home",
        {
          defaultModel: { name: "linear" },
          timeoutMs,
          shadow: { model: { name: "brittle" }, share: 1, topK: 1 },
        },
      ],
    ]),
  });
  try {
    const user = { id: "u1" };
    const rank = async (candidates: object[]) =>
      (await app.post("/v1/rank", { surface: "home", user, candidates })) as {
        status: number;
        body: { degraded: string[]; items: { id: string }[] };
      };
    // brittle answers a square root of the popularity: of -1 no number.
    const broken = await rank([{ id: "t1" }, { id: "t2", features: { popularity: -1 } }]);
    expect(broken.body).toMatchObject({ degraded: [], items: [{ id: "t1" }, { id: "t2" }] });
    expect(await settled(app, 1)).toEqual({ failed: 1 });
    const whole = await rank([{ id: "t1" }, { id: "t2" }]);
    expect(whole.body).toMatchObject({ degraded: [], items: [{ id: "t2" }, { id: "t1" }] });
    expect(await settled(app, 2)).toEqual({ failed: 1, compared: 1 });
    expect((await recordsOf(app)).map(({ kind }) => kind)).toEqual(["impression", "impression", "shadow"]);
    expect((await app.get("/readyz")).status).toBe(200);
  } finally {
    await app.stop();
  }
});
