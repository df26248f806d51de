import { expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { LogLevel } from "../../src/domain/log-level.ts";
import type { Model } from "../../src/domain/model.ts";
import { createTelemetry } from "../../src/telemetry/telemetry.ts";
import { counterfactualOf, impressionOf, interleavingOf, shadowOf } from "../support/log-records.ts";
import { standingLibrary } from "../support/model-library.ts";

function listen(logLevel: LogLevel = "info") {
  const lines: string[] = [];
  let passed = 0;
  const telemetry = createTelemetry({
    clock: { now: () => Date.UTC(2026, 10, 22, 8), monotonic: () => passed },
    logLevel,
    destination: { write: (line) => lines.push(line) },
  });
  const clock = {
    advance(ms: number) {
      passed += ms;
    },
  };
  return { ...telemetry, lines, clock };
}

const impression: Impression = {
  kind: "impression",
  requestId: "r1",
  at: Date.UTC(2026, 10, 22, 8),
  surface: "home",
  userId: "u1",
  candidateCount: 200,
  items: [],
  assignments: [],
  model: undefined,
  degraded: ["deadline", "defaults:12"],
  timings: { assign: 1, features: 2, queue: 3, inference: 4, rank: 5 },
};

test("a log line is one JSON object with level, time in UTC, message and fields", () => {
  const { logger, lines } = listen();
  logger.info({ httpPort: 8080, grpcPort: 9090 }, "ready");
  expect(lines).toEqual([
    '{"level":"info","time":"2026-11-22T08:00:00.000Z","httpPort":8080,"grpcPort":9090,"msg":"ready"}\n',
  ]);
});

test("an error that nobody expected is logged with its message and stack, any other with what it says", () => {
  const { logger, lines } = listen();
  const cause = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC", syscall: "write" });
  for (const err of [
    new Error("no order"),
    new SetlistError("INTERNAL", "no sense"),
    new SetlistError("UNAVAILABLE", "not now", { cause }),
    cause,
    "no model",
  ])
    logger.warn({ err }, "failed");
  expect(lines.map((line) => JSON.parse(line).err)).toEqual([
    { type: "Error", message: "no order", stack: expect.stringContaining("telemetry.test") },
    {
      type: "SetlistError",
      code: "INTERNAL",
      message: "no sense",
      stack: expect.stringContaining("telemetry.test"),
    },
    { type: "SetlistError", code: "UNAVAILABLE", message: "not now: ENOSPC: no space left" },
    { type: "Error", code: "ENOSPC", message: "ENOSPC: no space left" },
    "no model",
  ]);
});

test("a fallback is one warning a minute for each reason, which says how many it held back", () => {
  const { observer, lines, clock } = listen("info");
  for (let i = 0; i < 5; i++) observer.fellBack("deadline", `r${i}`, new Error("late"));
  observer.fellBack("overload", "r5", new Error("full"));
  expect(lines).toHaveLength(2);
  clock.advance(60_000);
  observer.fellBack("deadline", "r6", new Error("late"));
  expect(JSON.parse(lines[2] ?? "")).toMatchObject({ requestId: "r6", heldBack: 4 });
});

test("a log that cannot be written stops nobody", () => {
  const { logger, observer } = createTelemetry({
    clock: { now: () => 0, monotonic: () => 0 },
    logLevel: "info",
    destination: {
      write() {
        throw new Error("ENOSPC");
      },
    },
  });
  expect(() => logger.error("lost")).not.toThrow();
  expect(() => observer.impressionDropped("r1", new Error("disk full"))).not.toThrow();
});

test("a fallback tells its request and cause", () => {
  const { observer, lines } = listen();
  observer.fellBack("deadline", "r1", new Error("late"));
  const [line = ""] = lines;
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    requestId: "r1",
    reason: "deadline",
    err: { message: "late" },
  });
});

test("an impression that was not logged is an error with its request, and counted", async () => {
  const { observer, lines, metrics } = listen();
  observer.impressionDropped("r1", new Error("disk full"));
  const [line = ""] = lines;
  expect(JSON.parse(line)).toMatchObject({ level: "error", requestId: "r1", err: { message: "disk full" } });
  expect(await metrics.render()).toContain("setlist_impressions_dropped_total 1");
});

test("a ranking without a model counts under model none, its time in seconds and its reasons without numbers", async () => {
  const { observer, metrics } = listen();
  observer.ranked({ ...impression, degraded: ["deadline", "defaults:12", "truncated:150"] });
  const text = await metrics.render();
  expect(text).toContain('setlist_rank_total{surface="home",model="none",version=""} 1');
  expect(text).toContain('setlist_rank_duration_seconds_sum{surface="home"} 0.015');
  expect(text).toContain('setlist_rank_degraded_total{reason="deadline"} 1');
  expect(text).toContain('setlist_rank_degraded_total{reason="defaults"} 1');
  expect(text).toContain("setlist_rank_defaulted_total 12");
  expect(text).toContain('setlist_rank_degraded_total{reason="truncated"} 1');
  expect(text).toContain("setlist_rank_truncated_total 150");
  expect(text).toContain('setlist_rank_candidates_bucket{le="100",surface="home"} 0');
  expect(text).toContain('setlist_rank_candidates_bucket{le="200",surface="home"} 1');
});

test("what became of a shadow's requests is counted; a model that fails is a warning, a server that is busy none", async () => {
  const { shadowObserver, lines, metrics } = listen();
  shadowObserver.settled("home", "dropped", "r1");
  shadowObserver.settled("home", "failed", "r2", new Error("no order"));
  shadowObserver.settled("home", "failed", "r3", new Error("no order"));
  shadowObserver.settled("home", "unlogged", "r4", new Error("disk full"));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "warn", requestId: "r2", surface: "home", err: { message: "no order" } },
    { level: "warn", requestId: "r4", surface: "home", err: { message: "disk full" } },
  ]);
  const text = await metrics.render();
  expect(text).toContain('setlist_shadow_total{surface="home",result="dropped"} 1');
  expect(text).toContain('setlist_shadow_total{surface="home",result="failed"} 2');
});

test("a comparison without a tau counts in no bucket of it", async () => {
  const { shadowObserver, metrics } = listen();
  shadowObserver.compared(shadowOf("r1", { tau: undefined }));
  shadowObserver.compared(shadowOf("r2", { tau: -1 }));
  const text = await metrics.render();
  expect(text).toContain('setlist_shadow_tau_bucket{le="-0.5",surface="home"} 1');
  expect(text).toContain('setlist_shadow_tau_count{surface="home"} 1');
  expect(text).toContain('setlist_shadow_overlap_count{surface="home"} 2');
  expect(text).toContain('setlist_shadow_score_difference_sum{surface="home"} 0.25');
});

test("two servers in one process count apart", async () => {
  const one = listen();
  const other = listen();
  one.observer.ranked(impression);
  expect(await other.metrics.render()).not.toContain("setlist_rank_total{");
});

test("the metrics say on what each loaded model runs, beside what was wanted", async () => {
  const { metrics, watchModels } = listen();
  const models = [{ name: "home-kd", version: "2" }] as Model[];
  const scorer = {
    models: () => models,
    execution: () => ({
      configured: ["cuda" as const, "cpu" as const],
      provider: "cpu" as const,
      operators: undefined,
    }),
  };
  watchModels(scorer, standingLibrary());
  const series = 'setlist_model_execution_info{model="home-kd",version="2",provider="cpu",wanted="cuda"} 1';
  expect(await metrics.render()).toContain(series);
  models.pop();
  expect(await metrics.render()).not.toContain('model="home-kd"');
});

test("what became of another arm's requests is counted by its experiment, with how many lists differ", async () => {
  const { shadowObserver, lines, metrics } = listen();
  shadowObserver.compared(counterfactualOf("r1"));
  shadowObserver.compared(counterfactualOf("r2", { overlap: 1, agreeing: 2 }));
  shadowObserver.settledOtherArm("home-kd", "compared", "r1");
  shadowObserver.settledOtherArm("home-kd", "dropped", "r3");
  shadowObserver.settledOtherArm("home-kd", "failed", "r4", new Error("no order"));
  const text = await metrics.render();
  expect(text).toContain('setlist_counterfactual_total{experiment="home-kd",result="dropped"} 1');
  expect(text).toContain('setlist_counterfactual_total{experiment="home-kd",result="failed"} 1');
  expect(text).toContain('setlist_counterfactual_differing_total{experiment="home-kd"} 1');
  expect(text).toContain('setlist_counterfactual_overlap_sum{experiment="home-kd"} 1.5');
  expect(text).not.toContain("setlist_shadow_total{");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: "warn", experiment: "home-kd", requestId: "r4", err: { message: "no order" } },
  ]);
});

test("of an interleaved answer, the share of its items that say anything is counted by its experiment", async () => {
  const { observer, metrics } = listen();
  observer.ranked({ ...impressionOf("r1", "u1", "interleaved"), interleaving: interleavingOf("r1") });
  observer.ranked(impressionOf("r2", "u1", "interleaved"));
  const text = await metrics.render();
  expect(text).toContain('setlist_assignments_total{experiment="home-kd",arm="interleaved"} 2');
  expect(text).toContain('setlist_interleaved_competitive_share_count{experiment="home-kd"} 1');
  expect(text).toContain('setlist_interleaved_competitive_share_bucket{le="0.4",experiment="home-kd"} 1');
  expect(text).toContain('setlist_interleaved_competitive_share_bucket{le="0.3",experiment="home-kd"} 0');
});
