import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Doors, openDoors } from "../support/doors.ts";
import { eventually } from "../support/eventually.ts";

/** One sample of the text format: a name, its labels, a value. */
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/;

let doors: Doors;
let lines: string[];
beforeAll(async () => {
  const shadow = { model: { name: "home-kd" }, share: 1, topK: 2 };
  const home = { defaultModel: { name: "home-control" }, timeoutMs: 50, shadow };
  doors = await openDoors({ ports: { surfaces: new Map([["home", home]]) } });
  const request = { surface: "home", user: { id: "u1" }, candidateIds: ["unknown-1", "unknown-2", "t3"] };
  await doors.post("/v1/rank", request);
  await doors.post("/v1/rank", { ...request, surface: "surface-of-an-attacker" });
  await doors.get("/v1/path-of-an-attacker");
  await doors.get("/v1/experiments/id-of-an-attacker");
  await doors.grpc.call("setlist.v1.RankingService", "Rank", request);
  await doors.grpc.call("setlist.v1.RankingService", "Rank", {
    ...request,
    surface: "surface-of-an-attacker",
  });
  const outcome = { outcomeId: "o1", requestId: "r1", itemId: "t1", type: "type-of-an-attacker" };
  await doors.post("/v1/outcomes", { outcomes: [outcome, outcome, {}] });
  const compared = 'setlist_shadow_total{surface="home",result="compared"} 2';
  await eventually(async () => expect((await doors.get("/metrics")).text).toContain(compared));
  // Node's own event loop metrics have no numbers right behind another scrape.
  await delay(200);
  const answer = await doors.get("/metrics");
  expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  lines = answer.text.split("\n").filter((line) => line !== "");
});
afterAll(() => doors.close());

const value = (series: string) =>
  Number(
    lines
      .find((line) => line.startsWith(`${series} `))
      ?.split(" ")
      .at(-1),
  );

test("every line is a comment or a sample with a number", () => {
  const samples = lines.filter((line) => !line.startsWith("# "));
  expect(samples.length).toBeGreaterThan(100);
  expect(samples.filter((line) => !sample.test(line))).toEqual([]);
  expect(samples.map((line) => Number(line.split(" ").at(-1))).filter(Number.isNaN)).toEqual([]);
});

test("there are histograms, never summaries", () => {
  const types = lines.filter((line) => line.startsWith("# TYPE ")).map((line) => line.split(" ").at(-1));
  expect(types).toContain("histogram");
  expect(types).not.toContain("summary");
});

test("labels never repeat what a request said", () => {
  expect(lines.filter((line) => line.includes("attacker"))).toEqual([]);
});

describe("counts", () => {
  test.each([
    ['setlist_rank_total{surface="home",model="home-control",version="1"}', 2],
    ['setlist_rank_duration_seconds_count{surface="home"}', 2],
    ['setlist_rank_part_duration_seconds_count{part="inference"}', 2],
    ['setlist_rank_candidates_sum{surface="home"}', 6],
    ['setlist_rank_degraded_total{reason="defaults"}', 2],
    ["setlist_rank_defaulted_total", 4],
    ['setlist_shadow_total{surface="home",result="compared"}', 2],
    // The shadow orders them the other way round: of the best two of three, one is in both.
    ['setlist_shadow_tau_bucket{le="-0.5",surface="home"}', 2],
    ['setlist_shadow_overlap_bucket{le="0.4",surface="home"}', 0],
    ['setlist_shadow_overlap_bucket{le="0.5",surface="home"}', 2],
    ['setlist_shadow_score_difference_count{surface="home"}', 2],
    ['setlist_assignments_total{experiment="home-kd",arm="control"}', 2],
    ['setlist_outcomes_total{result="accepted"}', 1],
    ['setlist_outcomes_total{result="duplicate"}', 1],
    ['setlist_outcomes_total{result="rejected"}', 1],
    ['setlist_outcomes_total{result="unmatched"}', 1],
    ['setlist_requests_total{transport="http",route="/v1/rank",code="200"}', 1],
    ['setlist_requests_total{transport="http",route="/v1/rank",code="400"}', 1],
    ['setlist_requests_total{transport="http",route="none",code="404"}', 1],
    ['setlist_requests_total{transport="http",route="/v1/experiments/:id",code="404"}', 1],
    ['setlist_requests_total{transport="grpc",route="RankingService/Rank",code="OK"}', 1],
    ['setlist_requests_total{transport="grpc",route="RankingService/Rank",code="INVALID_ARGUMENT"}', 1],
    ['setlist_request_duration_seconds_count{transport="grpc",route="RankingService/Rank"}', 2],
  ])("%s is %i", (series, expected) => {
    expect(value(series)).toBe(expected);
  });

  test("the parts of a ranking in seconds", () => {
    expect(value('setlist_rank_part_duration_seconds_sum{part="inference"}')).toBeCloseTo(0.0025, 9);
  });
});
