import { expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { DesignQuestions } from "../../src/designs/design-questions.ts";
import type { Experiment } from "../../src/domain/experiment.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { alwaysValid } from "../../src/statistics/statistics.ts";
import { completions, experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const day = 86_400_000;
const seconds = { ...completions, id: "seconds", aggregate: "sum" } as const;

function analysisOf(
  records: readonly LogRecord[],
  designs: DesignQuestions,
  changes: Partial<Experiment> = {},
): Promise<AnalysisReport> {
  return analysisOfRecords(experimentOf(changes), records, new Date(noon), designs);
}

const armOf = (unit: number): "control" | "kd" => (unit % 2 === 0 ? "control" : "kd");
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const shownTo = (unit: number, request: string, at: number): LogRecord => ({
  ...impressionOf(request, `u${unit}`, armOf(unit)),
  at,
});

/** What a listener did, at any time after the first exposure. */
const did = (unit: number, at: number, value: number, id = `${unit}-${at}`): LogRecord => ({
  ...outcomeOf(id, userRequestId(`u${unit}`), "", "completion", value),
  occurredAt: at,
});

test("a day has the units exposed by its end, with what they had done by then", async () => {
  // kd: u1 is there from the first day and does 3, then 1 more two days on; u3 comes on the second day and does 5.
  // control: u0 and u2 from the first day, doing 1 and 2 at once. Nothing happens on the third.
  const records = [
    ...[shownTo(0, "r0", noon), shownTo(2, "r2", noon), did(0, noon + 1, 1), did(2, noon + 2, 2)],
    ...[shownTo(1, "r1", noon), did(1, noon + 1, 3), did(1, noon + 3 * day, 1)],
    ...[shownTo(3, "r3", noon + day), did(3, noon + day + 1, 5)],
    ...[shownTo(0, "end", noon + 3 * day), did(2, noon + 40 * day, 1)],
  ];
  const { overTime } = await analysisOf(
    records,
    { overTime: true },
    {
      metrics: [seconds],
      plan: { kind: "always-valid", units: 100 },
    },
  );
  const none = { estimate: null, ciLow: null, ciHigh: null, alwaysValidLow: null, alwaysValidHigh: null };
  const points = overTime?.[0]?.points ?? [];
  expect(overTime).toMatchObject([{ metric: "seconds", arm: "kd" }]);
  // One unit in kd has no spread yet; then (3 + 5) / 2 - 1.5, and at the end (4 + 5) / 2 - (1 + 3) / 2.
  expect(points.map(({ day: date, units, estimate }) => [date, units, estimate])).toEqual([
    ["2026-11-22", 3, null],
    ["2026-11-23", 4, 2.5],
    ["2026-11-24", 4, 2.5],
    ["2026-11-25", 4, 2.5],
  ]);
  expect(points[0]).toMatchObject(none);
  // s^2 / n is 1 in kd and 0.25 in control.
  const [, second] = points;
  const spread = { estimate: 2.5, standardError: Math.sqrt(1.25), statistic: 2.5 / Math.sqrt(1.25) };
  const always = alwaysValid(spread, 4, 0.05, 100);
  expect([second?.alwaysValidLow, second?.alwaysValidHigh]).toEqual([
    expect.closeTo(always.ciLow, 12),
    expect.closeTo(always.ciHigh, 12),
  ]);
});

test("of a long phase every second day or every third is shown, counted back from the last", async () => {
  // Two units every twentieth day, from the first to the 121st: each third day is shown.
  const records = range(7).flatMap((at) => [
    shownTo(2 * at, `c${at}`, noon + at * 20 * day),
    shownTo(2 * at + 1, `t${at}`, noon + at * 20 * day),
    did(2 * at + 1, noon + at * 20 * day + 1, at % 3),
  ]);
  const { overTime } = await analysisOf(records, { overTime: true }, { metrics: [seconds] });
  const points = overTime?.[0]?.points ?? [];
  const days = range(41).map((i) => 3 * i);
  expect(points.map((point) => point.day)).toEqual(
    days.map((at) => new Date(noon + at * day).toISOString().slice(0, 10)),
  );
  expect(points.map(({ units }) => units)).toEqual(days.map((at) => 2 * (Math.floor(at / 20) + 1)));
});

test("an empty log has no days and no buckets, and quantiles are left out of both with a sentence", async () => {
  const quantile = {
    ...completions,
    id: "median",
    type: "quantile",
    aggregate: "quantile",
    quantile: 0.5,
  } as const;
  const metrics = [completions, quantile];
  const { overTime, distributions, warnings } = await analysisOf([], { page: true }, { metrics });
  expect([overTime, distributions]).toEqual([[{ metric: "completions", arm: "kd", points: [] }], []]);
  expect(warnings.filter((one) => one.includes("median"))).toEqual([
    "Over time: median is left out, since quantiles are not followed by day.",
    "Distributions: median is left out, since a quantile is over outcomes, and no unit has a value.",
  ]);
});

test("units who did nothing stand apart, whole numbers have their own buckets, and a long tail is open", async () => {
  // 20 of each arm do nothing, 60 do 1, 2 or 3, and one of kd a thousand times as much.
  const records = range(160).flatMap((unit) => {
    const value = unit < 40 ? 0 : (unit >> 1) % 3;
    return [shownTo(unit, `r${unit}`, noon), ...(unit < 40 ? [] : [did(unit, noon + 1, value + 1)])];
  });
  const heavy = [shownTo(161, "heavy", noon), did(161, noon + 1, 3_000)];
  const { distributions } = await analysisOf(
    [...records, ...heavy],
    { distributions: true },
    { metrics: [seconds] },
  );
  const edges = [
    { from: 0, to: 0 },
    { from: 1, to: 2 },
    { from: 2, to: 3 },
    { from: 3, to: 4 },
    { from: 4, to: null },
  ];
  const bucketsOf = (units: readonly number[]) => edges.map((one, i) => ({ ...one, units: units[i] }));
  expect(distributions).toEqual([
    { metric: "seconds", arm: "control", buckets: bucketsOf([20, 20, 20, 20, 0]) },
    { metric: "seconds", arm: "kd", buckets: bucketsOf([20, 20, 20, 20, 1]) },
  ]);
});

test("fractions get buckets of a plain width, on both sides of zero, which the nearest does not share", async () => {
  const values = [-0.25, -0.05, 0, 0.03, 0.1, 0.3, 1.7];
  const records = values.flatMap((value, unit) => [
    shownTo(unit, `r${unit}`, noon),
    ...(value === 0 ? [] : [did(unit, noon + 1, value)]),
  ]);
  const { distributions } = await analysisOf(records, { distributions: true }, { metrics: [seconds] });
  const filled = range(values.length).flatMap((unit) => {
    const { buckets = [] } = distributions?.find(({ arm }) => arm === armOf(unit)) ?? {};
    return buckets.filter(({ units }) => units > 0);
  });
  expect(filled).toContainEqual({ from: -0.3, to: -0.2, units: 1 });
  expect(filled).toContainEqual({ from: -0.1, to: 0, units: 1 });
  expect(filled).toContainEqual({ from: 0, to: 0, units: 1 });
  expect(filled).toContainEqual({ from: 0.03, to: 0.1, units: 1 });
  expect(filled).toContainEqual({ from: 0.1, to: 0.2, units: 1 });
  expect(filled).toContainEqual({ from: 0.3, to: 0.4, units: 1 });
  expect(filled).toContainEqual({ from: 1.7, to: 1.8, units: 1 });
});

test("strata take away what tells units apart before anything was shown, and many attributes are all their levels together", async () => {
  // In DE all do 10 or 11, in FR 0 or 1; kd adds one everywhere. By chance kd has more of FR.
  const records = range(120).flatMap((unit) => {
    const place = unit >> 1;
    const inFrance = armOf(unit) === "kd" ? place < 35 : place < 25;
    const value = (inFrance ? 0 : 10) + (place % 2) + (armOf(unit) === "kd" ? 1 : 0);
    const user = { country: inFrance ? "FR" : "DE", ...(place % 2 === 0 ? {} : { premium: true }) };
    const shown = { ...impressionOf(`r${unit}`, `u${unit}`, armOf(unit)), attributes: { user } };
    return [shown, did(unit, noon + 1_000, value)];
  });
  const of = (stratify: readonly string[]) => analysisOf(records, {}, { metrics: [seconds], stratify });
  const [comparison] = (await of(["user.country"])).metrics[0]?.comparisons ?? [];
  expect(comparison?.absolute?.estimate).toBeCloseTo(1 - 10 / 6, 10);
  expect(comparison?.postStratified).toMatchObject({
    strata: 2,
    absolute: { estimate: expect.closeTo(1, 1) },
  });
  expect(comparison?.postStratified?.varianceReduction).toBeGreaterThan(0.98);
  // Both together tell all: nothing is left to measure against, and nothing is said.
  const both = await of(["user.country", "user.premium"]);
  expect(both.metrics[0]?.comparisons[0]?.postStratified).toBeUndefined();
  expect(both.warnings.join()).not.toContain("no post-stratification");
});
