import { expect, test } from "vitest";
import { difference } from "../../src/statistics/welch.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

test("an interval too wide for a double is a stated non-answer", () => {
  const [treated, control] = [
    { units: 2, value: 1, variance: 1e306 },
    { units: 2, value: 0, variance: 0 },
  ];
  expect(difference(treated, control, 1e-300)).toEqual({
    ok: false,
    reason: "infinite",
  });
});

test.each([
  [1e100, 1e100, 1.1e100],
  [5e-324, 0, 1e-290],
])("the buckets of values that are all %d have edges", async (value, from, to) => {
  const experiment = experimentOf({ metrics: [{ ...completions, aggregate: "sum" }] });
  const records = Array.from({ length: 20 }, (_, i) => [
    impressionOf(`r${i}`, `u${i}`, i % 2 === 0 ? "control" : "kd", ["t1"]),
    outcomeOf(`o${i}`, `r${i}`, "t1", "completion", value),
  ]).flat();
  const { distributions } = await analysisOfRecords(experiment, records, new Date("2026-11-23T00:00:00Z"), {
    distributions: true,
  });
  expect(distributions?.map(({ buckets }) => buckets)).toEqual([
    [{ from, to, units: 10 }],
    [{ from, to, units: 10 }],
  ]);
});
