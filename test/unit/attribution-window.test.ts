import { describe, expect, test } from "vitest";
import { userRequestId } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import { describeChange } from "../../src/experiments/change.ts";
import { documentOf, parseExperimentDocument, revise } from "../../src/experiments/experiments.ts";
import { renderReport } from "../../src/report/report.ts";
import { experimentOf, impressionOf, outcomeOf } from "../support/log-records.ts";
import { analysisOfRecords } from "../support/logged-files.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const hour = 3_600_000;
const asOf = new Date("2026-12-22T12:00:00.000Z");

const cameAfter = (id: string, request: string, item: string, ms: number, type?: string): LogRecord => ({
  ...outcomeOf(id, request, item, type),
  occurredAt: noon + ms,
});

describe("with an attribution window of a day", () => {
  const experiment = experimentOf({ attributionWindow: "24h" });
  const shown = [impressionOf("r1", "u1", "control"), impressionOf("r2", "u2", "kd")];
  const means = async (records: readonly LogRecord[]) => {
    const report = await analysisOfRecords(experiment, records, asOf);
    return { means: report.metrics[0]?.arms.map(({ mean }) => mean), late: report.lateOutcomes, report };
  };

  test("an outcome counts up to its last millisecond, and from then on is too late", async () => {
    const { means: counted, late } = await means([
      ...shown,
      cameAfter("o1", "r1", "t1", 24 * hour),
      cameAfter("o2", "r1", "t2", 24 * hour + 1),
      cameAfter("o3", "r2", "t1", 30 * 24 * hour),
    ]);
    expect({ counted, late }).toEqual({ counted: [1, 0], late: 2 });
  });

  test("one whose clock says that it came before its impression counts", async () => {
    const { means: counted, late } = await means([...shown, cameAfter("o1", "r1", "t1", -5_000)]);
    expect({ counted, late }).toEqual({ counted: [1, 0], late: 0 });
  });

  test("each outcome's window begins with its own impression", async () => {
    const again = { ...impressionOf("r3", "u1", "control"), at: noon + 48 * hour };
    const { means: counted, late } = await means([...shown, again, cameAfter("o1", "r3", "t1", 60 * hour)]);
    expect({ counted, late }).toEqual({ counted: [1, 0], late: 0 });
  });

  test("what a user did, wherever, has its window from the user's first exposure on", async () => {
    const again = { ...impressionOf("r3", "u1", "control"), at: noon + 48 * hour };
    const did = [
      cameAfter("d1", userRequestId("u1"), "", 24 * hour),
      cameAfter("d2", userRequestId("u1"), "", 49 * hour),
      cameAfter("d3", userRequestId("u2"), "", -1),
    ];
    const { means: counted, late } = await means([...shown, again, ...did]);
    expect({ counted, late }).toEqual({ counted: [1, 0], late: 1 });
  });

  test("what would not have counted in time is not late either", async () => {
    const { late, report } = await means([
      ...shown,
      impressionOf("x1", "u3", "kd"),
      impressionOf("x2", "u3", "control"),
      cameAfter("crossed", "x1", "t1", 48 * hour),
      cameAfter("not-shown", "r1", "t9", 48 * hour),
      cameAfter("no-metric", "r1", "t1", 48 * hour, "skip"),
    ]);
    expect({ late, unmatched: report.unmatchedOutcomes }).toEqual({ late: 0, unmatched: 1 });
  });

  test("the report says how many came too late, in JSON and in a line", async () => {
    const { report } = await means([...shown, cameAfter("o1", "r1", "t1", 25 * hour)]);
    expect(report.lateOutcomes).toBe(1);
    expect(renderReport(report)).toContain(
      "! 1 outcome came later than 24h after what it answers (the attribution window): not counted.",
    );
  });
});

test("without a window an outcome counts whenever it came", async () => {
  const records = [impressionOf("r1", "u1", "control"), cameAfter("o1", "r1", "t1", 365 * 24 * hour)];
  const report = await analysisOfRecords(experimentOf(), records, asOf);
  expect(report.metrics[0]?.arms[0]?.mean).toBe(1);
  expect(report.lateOutcomes).toBe(0);
});

describe("a document's attributionWindow", () => {
  const written = (attributionWindow: unknown) => ({ ...documentOf(experimentOf()), attributionWindow });

  test("is kept as it was written", () => {
    expect(parseExperimentDocument(written("7d"), "x")).toMatchObject({ attributionWindow: "7d" });
  });

  test.each(["soon", "0d", 24, "1w", ""])("refuses %j and says what a duration is", (text) => {
    expect(() => parseExperimentDocument(written(text), "x")).toThrow(
      /^attributionWindow: expected .*(such as 90s|got number)/,
    );
  });

  test("may change while the experiment runs: the phase stays, and the history names it", () => {
    const before = experimentOf();
    const later = revise(before, { ...documentOf(before), attributionWindow: "7d" }, []);
    expect(later).toMatchObject({ phase: before.phase, attributionWindow: "7d" });
    expect(describeChange(before, later)).toBe("attributionWindow");
  });
});
