import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyzeDataDirectory } from "../../src/app/data/analyze-data.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { readLog, verifyLog } from "../../src/outcomes/outcomes.ts";
import { isInShare } from "../../src/serving/request-share.ts";
import { eventually } from "../support/eventually.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

const candidateIds = Array.from({ length: 200 }, (_, i) => `t${i + 1}`);
const control = { name: "home-control", version: "1" };
const kd = { name: "home-kd", version: "1" };
const document = {
  surface: "home",
  layer: "home-ranker",
  status: "running",
  arms: [
    { id: "control", control: true, model: control },
    { id: "kd", model: kd },
  ],
  // Two listeners whom nobody knows: what they get, any such listener would get from that arm.
  overrides: { "to-control": "control", "to-kd": "kd" },
};

interface Answer {
  items: { id: string; score: number; tasks: object; team?: string; competitive?: boolean }[];
  assignments: object[];
  model: object;
  degraded: string[];
  interleaving?: { id: string; competitiveSlots: number; arms: object[] };
}

let folder: Awaited<ReturnType<typeof suiteFolder>>;
beforeAll(async () => {
  folder = await suiteFolder();
});
afterAll(() => folder.remove());

async function startWith(experiment: {
  readonly id: string;
  readonly [field: string]: unknown;
}): Promise<RunningApp> {
  const experiments = join(folder.path, experiment.id, "experiments");
  await mkdir(experiments, { recursive: true });
  // YAML takes JSON as it is.
  await writeFile(join(experiments, "one.yaml"), JSON.stringify({ ...document, ...experiment }));
  // A busy machine must not degrade what is compared here.
  const surfaces = new Map([["home", { defaultModel: { name: "home-control" }, timeoutMs: 10_000 }]]);
  return startApp(join(folder.path, experiment.id, "data"), { experiments, surfaces });
}

async function rank(app: RunningApp, user: string, more: object = {}): Promise<Answer> {
  const request = { surface: "home", user: { id: user }, candidateIds, ...more };
  const { status, body } = await app.post("/v1/rank", request);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Answer;
}

async function recordsOf<Kind extends LogRecord["kind"]>({ dataDir }: RunningApp, kind: Kind) {
  const records: Extract<LogRecord, { kind: Kind }>[] = [];
  for await (const record of readLog(join(dataDir, "log"))) {
    if (record.kind === kind) records.push(record as Extract<LogRecord, { kind: Kind }>);
  }
  return records;
}

/** 0 for a metric that says nothing. */
async function metric(app: RunningApp, line: string): Promise<number> {
  const { body } = await app.get("/metrics");
  const found = String(body)
    .split("\n")
    .find((one) => one.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}

describe("home-control and home-kd interleaved", () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startWith({ id: "home-il", kind: "interleave" });
  });
  afterAll(() => app.stop());

  test("make one list, of which each has picked half in the order and with the scores of its own", async () => {
    const drafted = await rank(app, "stranger", { requestId: "r1", limit: 40, explain: true });
    const lists = {
      control: (await rank(app, "to-control")).items,
      kd: (await rank(app, "to-kd")).items,
    };
    expect(drafted).toMatchObject({
      assignments: [{ experiment: "home-il", arm: "interleaved", layer: "home-ranker" }],
      model: control,
      interleaving: {
        id: "r1",
        arms: [
          { arm: "control", model: control },
          { arm: "kd", model: kd },
        ],
      },
    });
    for (const [team, list] of Object.entries(lists)) {
      const mine = drafted.items.filter((item) => item.team === team);
      expect(mine).toHaveLength(20);
      const own = mine.map(({ id }) => list.find((item) => item.id === id) as Answer["items"][number]);
      expect(own.map(({ id }) => list.findIndex((item) => item.id === id))).toEqual(
        own.map(({ id }) => list.findIndex((item) => item.id === id)).sort((a, b) => a - b),
      );
      for (const [at, { score }] of mine.entries()) expect(score).toBeCloseTo(own[at]?.score as number, 5);
    }
    const competing = drafted.items.filter(({ competitive }) => competitive).length;
    expect(drafted.interleaving?.competitiveSlots).toBe(competing);
    expect(competing).toBeGreaterThan(10);
  });

  test("stay as they are over the pages of one interleaveId, and over nothing else", async () => {
    const page = { interleaveId: "session-1" };
    const first = (await rank(app, "u5", { ...page, limit: 10 })).items.map(({ id }) => id);
    const more = (await rank(app, "u5", { ...page, limit: 50 })).items.map(({ id }) => id);
    expect(more.slice(0, 10)).toEqual(first);
    const others = await Promise.all(
      Array.from({ length: 5 }, (_, i) => rank(app, "u5", { interleaveId: `session-${i + 2}`, limit: 10 })),
    );
    const orders = new Set(others.map(({ items }) => items.map(({ id }) => id).join()));
    expect(orders.size).toBeGreaterThan(1);
  });

  test("say which arm picked what to the log alone, where nobody asks for an explanation", async () => {
    const answer = await rank(app, "u9", { requestId: "r9", limit: 6 });
    expect(answer).not.toHaveProperty("interleaving");
    expect(Object.keys(answer.items[0] ?? {})).toEqual(["id", "score", "tasks"]);
    const impression = (await recordsOf(app, "impression")).find(({ requestId }) => requestId === "r9");
    expect(impression?.assignments).toMatchObject([{ arm: "interleaved", unit: "u9", propensity: 1 }]);
    expect(impression?.interleaving).toMatchObject({
      id: "r9",
      arms: [
        { arm: "control", model: control },
        { arm: "kd", model: kd },
      ],
    });
    const teams = impression?.interleaving?.slots.map(({ team }) => team);
    expect(teams?.filter((team) => team === "kd")).toHaveLength(3);
    expect(teams?.filter((team) => team === "control")).toHaveLength(3);
    expect(
      await metric(app, `setlist_assignments_total{experiment="home-il",arm="interleaved"}`),
    ).toBeGreaterThan(0);
    expect(await metric(app, `setlist_interleaved_competitive_share_count{experiment="home-il"}`)).toBe(
      (await recordsOf(app, "impression")).filter(({ interleaving }) => interleaving !== undefined).length,
    );
  });

  test("are analysed by whose items listeners took, and have no arms to compare", async () => {
    const { interleaving, metrics } = await analyzeDataDirectory({
      dataDir: app.dataDir,
      experiment: "home-il",
      alpha: 0.05,
    });
    const drafts = (await recordsOf(app, "impression")).flatMap(({ interleaving: one }) => one ?? []);
    expect(metrics).toEqual([]);
    expect(interleaving).toMatchObject({ arm: "kd", versus: "control" });
    expect(interleaving?.lists).toBe(new Set(drafts.map(({ id }) => id)).size);
    expect(interleaving?.competitiveSlots).toBeGreaterThan(0);
  });

  test("are shown with their kind", async () => {
    const { body } = await app.get("/v1/experiments/home-il");
    expect(body).toMatchObject({ kind: "interleave" });
  });
});

describe("an experiment that logs what its other arm would have shown", () => {
  const share = 0.5;
  const ids = Array.from({ length: 24 }, (_, i) => `request-${i}`);
  const chosen = ids.filter((id) => isInShare(share, id, "counterfactual"));
  let app: RunningApp;
  beforeAll(async () => {
    app = await startWith({ id: "home-ab", counterfactual: { share, topK: 5 } });
    for (const [index, requestId] of ids.entries()) {
      // Eight listeners whom nobody knows, so that any two in one arm get the same list.
      await rank(app, `stranger-${index % 8}`, { requestId, limit: 5 });
      // One at a time: a request that comes meanwhile would go first.
      await eventually(async () =>
        expect(await done(app)).toBe(chosen.filter((id) => ids.indexOf(id) <= index).length),
      );
    }
  });
  afterAll(() => app.stop());

  const done = (of: RunningApp): Promise<number> =>
    metric(of, `setlist_counterfactual_total{experiment="home-ab",result="compared"}`);

  test("logs it for the requests that their ids say, with the probability of that", async () => {
    const records = await recordsOf(app, "counterfactual");
    expect(chosen.length).toBeGreaterThan(6);
    expect(records.map(({ requestId }) => requestId)).toEqual(chosen);
    for (const { propensity, topK, candidateCount } of records) {
      expect({ propensity, topK, candidateCount }).toEqual({
        propensity: share,
        topK: 5,
        candidateCount: 200,
      });
    }
  });

  test("logs the very list that the other arm shows those whom it serves", async () => {
    const records = await recordsOf(app, "counterfactual");
    const impressions = new Map(
      (await recordsOf(app, "impression")).map((impression) => [impression.requestId, impression]),
    );
    const lists = {
      control: (await rank(app, "to-control", { limit: 5 })).items.map(({ id }) => id),
      kd: (await rank(app, "to-kd", { limit: 5 })).items.map(({ id }) => id),
    };
    expect(new Set(records.map(({ arm }) => arm))).toEqual(new Set(["control", "kd"]));
    for (const record of records) {
      const shown = impressions.get(record.requestId);
      expect(shown?.assignments[0]).toMatchObject({
        experiment: "home-ab",
        arm: record.arm,
        phase: record.phase,
      });
      expect(shown?.model).toEqual(record.model);
      expect(record.otherModel).toEqual(record.other === "kd" ? kd : control);
      const served = shown?.items.map(({ id }) => id) ?? [];
      expect(served).toEqual(lists[record.arm as "kd"]);
      expect(record.otherIds).toEqual(lists[record.other as "kd"]);
      expect(record.overlap).toBeCloseTo(served.filter((id) => record.otherIds.includes(id)).length / 5, 12);
      const differs = served.findIndex((id, at) => id !== record.otherIds[at]);
      expect(record.agreeing).toBe(differs < 0 ? 5 : differs);
    }
  });

  test("counts them, and how many of the lists differ", async () => {
    const records = await recordsOf(app, "counterfactual");
    const differing = records.filter(({ agreeing }) => agreeing < 5).length;
    expect(await metric(app, `setlist_counterfactual_differing_total{experiment="home-ab"}`)).toBe(differing);
    expect(await metric(app, `setlist_counterfactual_overlap_count{experiment="home-ab"}`)).toBe(
      records.length,
    );
    expect(await verifyLog(join(app.dataDir, "log"))).toMatchObject({ shadows: records.length, corrupt: [] });
  });

  test("is analysed as any other", async () => {
    const report = await analyzeDataDirectory({ dataDir: app.dataDir, experiment: "home-ab", alpha: 0.05 });
    expect(report.arms.reduce((sum, { impressions }) => sum + impressions, 0)).toBe(ids.length);
  });
});
