import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyzeDataDirectory } from "../../src/app/data/analyze-data.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { readLog, verifyLog } from "../../src/outcomes/outcomes.ts";
import { childrenOf } from "../../src/telemetry/child-processes.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { suiteFolder } from "../support/temporary-folder.ts";

interface Answer {
  requestId: string;
  items: { id: string; score: number; tasks: Record<string, number> }[];
  assignments: { experiment: string; arm: string; layer: string }[];
  model: { name: string; version: string };
  degraded: string[];
}

const candidateIds = Array.from({ length: 50 }, (_, i) => `t${i * 7 + 1}`);

describe("the whole server over the committed models", () => {
  let folder: Awaited<ReturnType<typeof suiteFolder>>;
  let app: RunningApp;
  const answers: Answer[] = [];

  const rank = async (user: string, more: object = {}): Promise<Answer> => {
    const { status, body } = await app.post("/v1/rank", {
      surface: "home",
      user: { id: user },
      candidateIds,
      ...more,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    answers.push(body as Answer);
    return body as Answer;
  };

  beforeAll(async () => {
    folder = await suiteFolder();
    app = await startApp(join(folder.path, "data"));
  });
  afterAll(async () => {
    await app.stop();
    await folder.remove();
  });

  test("is ready and says which models it serves", async () => {
    expect((await app.get("/readyz")).status).toBe(200);
    const { body } = await app.get("/v1/models");
    const names = (body as { models: { name: string }[] }).models.map((model) => model.name).sort();
    expect(names).toEqual(["home-control", "home-kd", "radio-control", "radio-kd"]);
  });

  test("orders every candidate by score, best first, with a probability for each task", async () => {
    const answer = await rank("u1");
    expect(answer.items.map((item) => item.id).sort()).toEqual([...candidateIds].sort());
    const scores = answer.items.map((item) => item.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(new Set(scores).size).toBeGreaterThan(40);
    for (const { tasks } of answer.items) {
      expect(Object.keys(tasks)).toEqual(["click", "completion", "like"]);
      expect(Object.values(tasks).every((p) => p > 0 && p < 1)).toBe(true);
    }
    expect(answer.degraded).toEqual([]);
  });

  test("gives the same listener the same arm and model every time, and both arms to a crowd", async () => {
    const arms = new Map<string, string>();
    for (let i = 1; i <= 40; i++) {
      const answer = await rank(`u${i}`, { limit: 10 });
      const [assignment] = answer.assignments;
      expect(assignment?.experiment).toBe("home-kd");
      expect(answer.model.name).toBe(assignment?.arm === "control" ? "home-control" : "home-kd");
      arms.set(`u${i}`, assignment?.arm ?? "none");
      expect(answer.items).toHaveLength(10);
    }
    expect(new Set(arms.values()).size).toBe(2);
    const again = await rank("u7", { limit: 10 });
    expect(again.assignments[0]?.arm).toBe(arms.get("u7"));
  });

  test("answers for listeners and tracks that it has never seen, and says how many", async () => {
    const answer = await rank("nobody", { candidateIds: ["t1", "unheard-of", "t2"] });
    expect(answer.items).toHaveLength(3);
    expect(answer.degraded).toEqual(["defaults:2"]);
  });

  test("answers at the deadline with the order that came in, marked as such", async () => {
    const answer = await rank("u1", { timeoutMs: 0.001 });
    expect(answer.items.map((item) => item.id)).toEqual(candidateIds);
    expect(answer.degraded).toContain("deadline");
  });

  test("lets inference keep nobody waiting: /livez answers while it stands still", async () => {
    const workers = childrenOf(process.pid);
    expect(workers.length).toBeGreaterThan(0);
    // Held where it is: whatever waits for a run waits until it goes on, on any machine.
    for (const pid of workers) process.kill(pid, "SIGSTOP");
    let isRanked = false;
    const ranked = rank("u1", { timeoutMs: 60_000 }).finally(() => {
      isRanked = true;
    });
    try {
      for (let i = 0; i < 100; i++) expect((await app.get("/livez")).status).toBe(200);
      expect(isRanked).toBe(false);
    } finally {
      for (const pid of workers) process.kill(pid, "SIGCONT");
    }
    expect((await ranked).degraded).toEqual([]);
  });

  test("acknowledges outcomes once, however often they are sent", async () => {
    const [first] = answers;
    const outcomes = [
      { outcomeId: "o1", requestId: first?.requestId, itemId: first?.items[0]?.id, type: "completion" },
      { outcomeId: "o2", requestId: "never-ranked", itemId: "t1", type: "click" },
    ];
    expect((await app.post("/v1/outcomes", { outcomes })).body).toEqual({
      accepted: 2,
      duplicates: 0,
      rejected: [],
    });
    expect((await app.post("/v1/outcomes", { outcomes })).body).toEqual({
      accepted: 0,
      duplicates: 2,
      rejected: [],
    });
  });

  test("knows duplicates and logged answers across a restart", async () => {
    await app.stop();
    app = await startApp(app.dataDir);
    const outcomes = [{ outcomeId: "o1", requestId: "r", itemId: "t1", type: "completion" }];
    expect((await app.post("/v1/outcomes", { outcomes })).body).toMatchObject({ duplicates: 1 });

    const records: LogRecord[] = [];
    for await (const record of readLog(join(app.dataDir, "log"))) records.push(record);
    const impressions = records.filter((record) => record.kind === "impression");
    expect(impressions.map((one) => one.requestId)).toEqual(answers.map((one) => one.requestId));
    expect(impressions[0]?.items.map((item) => item.id)).toEqual(answers[0]?.items.map((item) => item.id));
    expect(await verifyLog(join(app.dataDir, "log"))).toMatchObject({ outcomes: 2, corrupt: [] });
  });

  test("analyses what it logged, while it is running", async () => {
    const report = await analyzeDataDirectory({ dataDir: app.dataDir, experiment: "home-kd", alpha: 0.05 });
    const logged = answers.filter((answer) => answer.assignments.length > 0);
    const impressions = report.arms.reduce((sum, arm) => sum + arm.impressions, 0);
    expect(impressions).toBe(logged.length);
    expect(report.metrics[0]?.metric).toBe("completions");
    const completions = report.metrics[0]?.arms.reduce((sum, arm) => sum + (arm.mean ?? 0) * arm.units, 0);
    expect(completions).toBeCloseTo(1, 9);
  });
});
