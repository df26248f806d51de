import { expect, test } from "vitest";
import type { ClosedLoopResult } from "../../loadtest/closed-loop-client.ts";
import { processesRowOf } from "../../loadtest/processes-report.ts";

function seen(requestsPerSecond: number, p50Ms: number, p99Ms: number, degraded = 0): ClosedLoopResult {
  return { requestsPerSecond, candidatesPerSecond: 0, p50Ms, p99Ms, errors: { "429": 1 }, degraded };
}

test("generators add up within a turn, and the middle turn is told", () => {
  const turns = [
    { results: [seen(100, 1, 5), seen(300, 3, 9)], serverCores: 2, busiestGenerator: 0.2 },
    { results: [seen(10, 9, 90, 4), seen(10, 9, 80)], serverCores: 1, busiestGenerator: 0.9 },
    { results: [seen(200, 2, 7), seen(250, 2, 8)], serverCores: 3, busiestGenerator: 0.3 },
  ];
  expect(processesRowOf({ processes: 4, candidates: 10 }, turns, 900)).toEqual({
    processes: 4,
    candidates: 10,
    requestsPerSecond: 400,
    p50Ms: 2,
    p99Ms: 9,
    serverCores: 2,
    busiestGenerator: 0.3,
    residentMib: 900,
    failed: 6,
    degraded: 4,
  });
});
