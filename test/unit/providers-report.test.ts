import { expect, test } from "vitest";
import { requestSizes } from "../../loadtest/provider-batches.ts";
import { providerFigures } from "../../loadtest/providers-report.ts";

test("a batch is made of usual requests, and one with the rows that are left", () => {
  expect(requestSizes(1)).toEqual([1]);
  expect(requestSizes(200)).toEqual([200]);
  expect(requestSizes(1_024)).toEqual([200, 200, 200, 200, 200, 24]);
});

test("a provider's speed is held against the CPU's of the same round", () => {
  // The second round is ten times slower for both, as on a machine that others use.
  const cpu = {
    provider: "cpu",
    rounds: [
      [2, 2, 2],
      [20, 20, 20],
      [2, 2, 2],
    ],
    differenceMax: 0,
  } as const;
  const cuda = { provider: "cuda", rounds: [[1, 1, 1], [10], [1, 1, 4]], differenceMax: 1e-6 } as const;
  const [one, other] = providerFigures(400, 2, [cpu, cuda]);
  expect(one).toMatchObject({ provider: "cpu", runs: 9, medianMs: 2, speedOverCpu: 1 });
  expect(other).toMatchObject({
    provider: "cuda",
    rows: 400,
    requests: 2,
    runs: 7,
    medianMs: 1,
    speedOverCpu: 2,
  });
  // 7 runs of 400 candidates in 19 ms.
  expect(other?.candidatesPerSecond).toBeCloseTo((7 * 400) / 0.019, 6);
  expect(other?.p99Ms).toBeCloseTo(10, 1);
});
