import { expect, test } from "vitest";
import type { Impression } from "../../src/domain/impression.ts";
import { createTelemetry, SummedMetrics } from "../../src/telemetry/telemetry.ts";
import { impressionOf } from "../support/log-records.ts";

const clock = { now: () => 0, monotonic: () => 0 };
const counts = () => ({ serving: 2, standby: 1, starting: 0, ended: 3 });

function process() {
  const telemetry = createTelemetry({ clock, logLevel: "fatal" });
  const ranked = (times: number): void => {
    const impression: Impression = { ...impressionOf("r1", "u1", "kd"), candidateCount: 10 };
    for (let i = 0; i < times; i++) telemetry.observer.ranked(impression);
  };
  return { ...telemetry, ranked };
}

async function sampleOf(summed: SummedMetrics, series: string): Promise<number> {
  const lines = (await summed.render()).split("\n");
  return Number(
    lines
      .find((line) => line.startsWith(`${series} `))
      ?.split(" ")
      .at(-1),
  );
}

const candidates = 'setlist_rank_candidates_count{surface="home"}';
const bucket = 'setlist_rank_candidates_bucket{le="10",surface="home"}';

test("counters and histograms are added up", async () => {
  const [one, other] = [process(), process()];
  one.ranked(2);
  other.ranked(3);
  const summed = new SummedMetrics(counts);
  summed.note(1, await one.snapshot());
  summed.note(2, await other.snapshot());
  expect(await sampleOf(summed, candidates)).toBe(5);
  expect(await sampleOf(summed, bucket)).toBe(5);
});

test("what a process counted is counted on when it has ended, and what one says replaces what it said", async () => {
  const [one, other, third] = [process(), process(), process()];
  one.ranked(2);
  other.ranked(3);
  const summed = new SummedMetrics(counts);
  summed.note(1, await one.snapshot());
  summed.note(2, await other.snapshot());
  summed.ended(1);
  expect(await sampleOf(summed, candidates)).toBe(5);
  other.ranked(1);
  third.ranked(10);
  summed.note(2, await other.snapshot());
  summed.note(3, await third.snapshot());
  expect(await sampleOf(summed, candidates)).toBe(16);
  summed.ended(3);
  summed.ended(2);
  summed.ended(99);
  expect(await sampleOf(summed, candidates)).toBe(16);
  expect(await sampleOf(summed, bucket)).toBe(16);
});

test("what is so in any process is 1, not the number of processes", async () => {
  const [one, other] = [process(), process()];
  const library = {
    versions: () => [{ name: "home-kd", version: "1", state: "serving" as const, labels: [] }],
    labels: () => [],
  };
  for (const { watchModels } of [one, other]) {
    watchModels({ models: () => [], execution: () => undefined }, library);
  }
  const summed = new SummedMetrics(counts);
  summed.note(1, await one.snapshot());
  summed.note(2, await other.snapshot());
  const state = 'setlist_model_version_state{model="home-kd",version="1",state="serving"}';
  expect(await sampleOf(summed, state)).toBe(1);
});

test("the processes themselves are there: how many, how often one ended, since when, their memory together", async () => {
  const one = process();
  const summed = new SummedMetrics(counts);
  const alone = await sampleOf(summed, "process_resident_memory_bytes");
  summed.note(1, await one.snapshot());
  expect(await sampleOf(summed, 'setlist_processes{state="serving"}')).toBe(2);
  expect(await sampleOf(summed, 'setlist_processes{state="standby"}')).toBe(1);
  expect(await sampleOf(summed, "setlist_process_restarts_total")).toBe(3);
  expect(await sampleOf(summed, "process_start_time_seconds")).toBeGreaterThan(1_700_000_000);
  expect(await sampleOf(summed, "process_resident_memory_bytes")).toBeGreaterThan(1.5 * alone);
});
