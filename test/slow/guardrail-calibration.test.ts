/** Whole lives of experiments without an effect, over many windows: how many are held or rolled back? Seeded, so exact. */
import { expect, test } from "vitest";
import { type ArmCounts, latencyBucket, latencyBuckets } from "../../src/domain/arm-counts.ts";
import type { Random } from "../../src/domain/clock.ts";
import type { RequestGuardrail } from "../../src/domain/guardrail.ts";
import { RequestWindow } from "../../src/guardrails/request-window.ts";
import { randomStream } from "../../src/simulation/random-stream.ts";
import { arm } from "../support/experiments.ts";

const alpha = 0.05;
const lives = 150;
const falseAlarmsMax = lives * alpha + 3 * Math.sqrt(lives * alpha * (1 - alpha));
const minute = 60_000;
const commons = { id: "one", action: "hold", alpha, minimum: 100, window: "5m" } as const;

function counted(random: Random, id: string, requests: number, fallbackShare: number, ms: number): ArmCounts {
  const latencies = new Uint32Array(latencyBuckets + 1);
  let fallbacks = 0;
  for (let request = 0; request < requests; request++) {
    if (random.next() < fallbackShare) fallbacks += 1;
    // Exponential: a heavy enough tail for a p99.
    const bucket = latencyBucket(-ms * Math.log(1 - random.next()));
    latencies[bucket] = (latencies[bucket] as number) + 1;
  }
  return { experiment: "exp", phase: 1, arm: id, requests, errors: 0, fallbacks, latencies };
}

/** Lives of six windows with five checks in each; three arms, the last with `effect`. */
function breaches(name: string, guardrail: RequestGuardrail, effect = { share: 0.03, ms: 5 }): number {
  const random = randomStream("2026-11-26", name);
  const arms = ["control", "a", "b"].map((id) => arm(id));
  let count = 0;
  for (let life = 0; life < lives; life++) {
    const window = new RequestWindow(guardrail, 0);
    for (let now = minute; now <= 30 * minute; now += minute) {
      window.add(
        [
          counted(random, "control", 60, 0.03, 5),
          counted(random, "a", 60, 0.03, 5),
          counted(random, "b", 60, effect.share, effect.ms),
        ],
        now - minute,
        now,
      );
      if (window.judge(arms, now).state !== "breached") continue;
      count += 1;
      break;
    }
  }
  return count;
}

test.each<[string, RequestGuardrail]>([
  ["a rate at its bound", { kind: "fallback-rate", max: 0.03, ...commons }],
  ["a rate like control's", { kind: "fallback-rate", margin: 0, ...commons }],
  ["a p99 at its bound", { kind: "latency-p99", maxMs: -5 * Math.log(0.01), ...commons }],
  ["a p99 like control's", { kind: "latency-p99", margin: 0, ...commons }],
])("%s is called a breach in no more than alpha of the lives", (name, guardrail) => {
  expect(breaches(name, guardrail)).toBeLessThanOrEqual(falseAlarmsMax);
});

test("an arm that falls back five times as often, or takes twice as long, is found in nearly every life", () => {
  const often = { share: 0.15, ms: 5 };
  expect(breaches("often", { kind: "fallback-rate", margin: 0.01, ...commons }, often)).toBeGreaterThan(
    0.95 * lives,
  );
  const late = { share: 0.03, ms: 10 };
  expect(breaches("late", { kind: "latency-p99", maxMs: 25, ...commons }, late)).toBeGreaterThan(
    0.95 * lives,
  );
});
