import { describe, expect, test } from "vitest";
import type { AnalysisReport } from "../../src/analysis/analysis.ts";
import type { Impression } from "../../src/domain/impression.ts";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { completions, experimentOf, impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

function analysisOf(records: readonly LogRecord[]): Promise<AnalysisReport> {
  const asOf = new Date("2026-11-22T12:00:00.000Z");
  return analysisOfRecords(experimentOf(), records, asOf);
}

/** Four units, two an arm; each completed its first item. */
const small: readonly LogRecord[] = ["control", "control", "kd", "kd"].flatMap((arm, i) => [
  impressionOf(`r${i}`, `u${i}`, arm),
  outcomeOf(`o${i}`, `r${i}`, "t1"),
]);

function counts({ arms }: AnalysisReport): readonly (readonly number[])[] {
  return arms.map(({ units, impressions }) => [units, impressions]);
}

function means({ metrics }: AnalysisReport): readonly unknown[] {
  return metrics.flatMap(({ arms }) => arms.map(({ mean }) => mean));
}

/** What another surface answered under the same request id: no experiment of ours. */
function elsewhere(requestId: string): Impression {
  return { ...impressionOf(requestId, "u0", "control", ["s1"]), surface: "search", assignments: [] };
}

describe("a request id", () => {
  test("that another surface used first takes nothing from the experiment", async () => {
    const alone = await analysisOf(small);
    const shared = await analysisOf([...[0, 1, 2, 3].map((i) => elsewhere(`r${i}`)), ...small]);
    expect(counts(shared)).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(means(shared)).toEqual([1, 1]);
    expect(shared).toEqual(alone);
  });

  test("that comes again within the experiment counts once, as it first came, and warns", async () => {
    const report = await analysisOf([
      ...small,
      impressionOf("r0", "u0", "control", ["t9"]),
      impressionOf("r3", "u8", "control"),
      outcomeOf("late", "r0", "t9"),
    ]);
    expect(counts(report)).toEqual([
      [2, 2],
      [2, 2],
    ]);
    expect(means(report)).toEqual([1, 1]);
    expect(report.unmatchedOutcomes).toBe(1);
    expect(report.warnings).toContain("2 impressions repeat the request id of an earlier one: not counted.");
  });

  test("that comes once warns of nothing", async () => {
    expect((await analysisOf(small)).warnings.filter((one) => /repeat|was served by/.test(one))).toEqual([]);
  });
});

test("a unit that was forced into an arm is not analysed, whatever it was dealt before or after", async () => {
  const forced = impressionOf("f0", "u9", "kd", undefined, { assignment: { overridden: true } });
  const [before, after] = [impressionOf("f1", "u9", "control"), impressionOf("f2", "u9", "control")];
  const did = [
    outcomeOf("d1", "f1", "t1"),
    outcomeOf("d2", "f0", "t1"),
    outcomeOf("d3", userRequestId("u9"), ""),
  ];
  const report = await analysisOf([...small, before, forced, after, ...did]);
  expect(report).toEqual(await analysisOf(small));
});

test("a unit that was forced in another phase alone is analysed", async () => {
  const forced = impressionOf("f0", "u0", "kd", undefined, { assignment: { overridden: true, phase: 0 } });
  expect(counts(await analysisOf([forced, ...small]))).toEqual(counts(await analysisOf(small)));
});

describe("what a unit did, whatever it was shown,", () => {
  const noon = Date.parse("2026-11-22T12:00:00.000Z");
  const did = (outcomeId: string, unit: string, occurredAt = noon + 1_000): LogRecord => ({
    ...outcomeOf(outcomeId, userRequestId(unit), ""),
    occurredAt,
  });
  const exposed = (requestId: string, unit: string, arm: string, changes = {}): Impression => ({
    ...impressionOf(requestId, unit, arm, [], { model: undefined, ...changes }),
  });

  test("counts for a unit that a rank request or a tracked exposure exposed", async () => {
    const tracked = [exposed("e4", "u4", "control"), exposed("e5", "u5", "kd"), exposed("e6", "u6", "kd")];
    const report = await analysisOf([
      ...small,
      ...tracked,
      did("d0", "u0"),
      did("d5", "u5"),
      did("d5b", "u5"),
    ]);
    expect(counts(report)).toEqual([
      [3, 3],
      [4, 4],
    ]);
    // u0 1 + 1, u1 1, u4 0; u2 1, u3 1, u5 2, u6 0.
    expect(means(report)).toEqual([1, 1]);
    expect(report.warnings.filter((one) => /without its model|answers/.test(one))).toEqual([]);
  });

  test("counts once where it was logged twice", async () => {
    const report = await analysisOf([...small, did("d0", "u0"), did("d0", "u0")]);
    expect(means(report)).toEqual([1.5, 1]);
  });

  test("counts only from the moment of the exposure on", async () => {
    const before = [did("d0", "u0", noon - 1), did("d1", "u1", noon)];
    expect(means(await analysisOf([...before, ...small]))).toEqual([1.5, 1]);
  });

  test("counts for nobody who was not exposed in this phase, and nothing is said of it", async () => {
    const earlier = exposed("e7", "u7", "kd", { assignment: { phase: 0 } });
    const forced = exposed("e8", "u8", "kd", { assignment: { overridden: true } });
    const report = await analysisOf([...small, earlier, forced, ...["u7", "u8", "u9"].map((u) => did(u, u))]);
    expect(means(report)).toEqual([1, 1]);
    expect(report.unmatchedOutcomes).toBe(0);
  });

  test("counts nowhere where users are not the units", async () => {
    const report = await analysisOfRecords(
      experimentOf({ unit: "session" }),
      [...small, did("d0", "u0")],
      new Date("2026-11-22T12:00:00.000Z"),
    );
    expect(means(report)).toEqual([1, 1]);
  });

  test("counts not for a unit that was seen in two arms", async () => {
    const report = await analysisOf([...small, exposed("e0", "u0", "kd"), did("d0", "u0")]);
    expect(counts(report)).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(report.excludedUnits).toBe(1);
  });
});

test("comparisons with shadow models change nothing", async () => {
  const among = small.flatMap((record) => [record, shadowOf("requestId" in record ? record.requestId : "")]);
  expect(await analysisOf(among)).toEqual(await analysisOf(small));
});

test("an arm that several model versions served in one phase is warned of, by its name and theirs", async () => {
  const newer: Impression = { ...impressionOf("r9", "u9", "kd"), model: { name: "home-kd", version: "2" } };
  const fallback = impressionOf("r8", "u8", "control", ["t1"], { model: undefined });
  const { warnings } = await analysisOf([...small, newer, fallback]);
  expect(warnings.filter((one) => one.includes("was served by"))).toEqual([
    "Arm kd was served by home-kd version 1 and home-kd version 2 in this phase: name the arm's model version, so that a new one starts a new phase.",
  ]);
});

test("one value too large to be squared costs its metric the answer, and no other metric", async () => {
  const plays = { ...completions, id: "plays", aggregate: "sum" as const, role: "secondary" as const };
  const records: LogRecord[] = ["control", "control", "kd", "kd"].flatMap((arm, i) => [
    impressionOf(`r${i}`, `u${i}`, arm, ["t1", "t2"]),
    outcomeOf(`o${i}`, `r${i}`, "t1"),
  ]);
  records.push({ ...outcomeOf("huge", "r0", "t2"), value: 1e200 });
  const report = await analysisOfRecords(
    experimentOf({ metrics: [completions, plays] }),
    records,
    new Date("2026-11-22T12:00:00.000Z"),
  );
  const [counted, summed] = report.metrics;
  expect(counted?.arms.map(({ mean }) => mean)).toEqual([1.5, 1]);
  expect(summed?.arms[0]?.mean).toBeNull();
  expect(summed?.comparisons[0]?.absolute).toBeNull();
  expect(report.warnings.join(" ")).toContain("too large to add up");
  expect(JSON.stringify(report)).not.toMatch(/NaN|Infinity/);
});
