import { expect, test } from "vitest";
import { costs } from "../../loadtest/profile-costs.ts";

const frame = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url } });

test("time is counted by file, package and native function, within the window, without idleness", () => {
  const profile = {
    nodes: [
      frame(1, "rank", "file:///home/me/setlist/src/serving/rank.ts"),
      frame(2, "encode", "file:///home/me/setlist/src/features/request-encoder.ts"),
      frame(3, "route", "file:///home/me/setlist/node_modules/fastify/lib/route.js"),
      frame(4, "start", "file:///home/me/setlist/node_modules/@grpc/grpc-js/build/server.js"),
      frame(5, "emit", "node:events"),
      frame(6, "writev", ""),
      frame(7, "(idle)", ""),
    ],
    startTime: 5_000_000,
    endTime: 5_010_000,
    samples: [1, 2, 1, 3, 4, 5, 6, 7, 1],
    timeDeltas: [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000],
  };
  // The profile ends at 100,000 ms; the window leaves its first and its last sample out.
  const found = costs(profile, { from: 99_991.5, to: 99_998.5 }, 100_000);
  expect(found.total).toBe(6_000);
  expect(new Set(found.parts.map(({ name }) => name))).toEqual(
    new Set([
      "src/features/request-encoder.ts",
      "src/serving/rank.ts",
      "fastify",
      "@grpc/grpc-js",
      "node:events",
      "writev",
    ]),
  );
  expect(found.parts.every(({ microseconds }) => microseconds === 1_000)).toBe(true);
});

test("the dearest stands first", () => {
  const profile = {
    nodes: [frame(1, "a", "node:a"), frame(2, "b", "node:b")],
    startTime: 0,
    endTime: 3_000,
    samples: [1, 2, 2],
    timeDeltas: [1_000, 1_000, 1_000],
  };
  expect(costs(profile, { from: 0, to: 3 }, 3).parts).toEqual([
    { name: "node:b", microseconds: 2_000 },
    { name: "node:a", microseconds: 1_000 },
  ]);
});
