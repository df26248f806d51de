import { readdir, rename, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { shareReading } from "../../src/columnar/columnar.ts";
import { logSegments } from "../../src/outcomes/outcomes.ts";
import type { RetentionRules } from "../../src/warehouse/retention.ts";
import { type Compaction, compactLog } from "../../src/warehouse/warehouse.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { columnOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const day = 86_400_000;
const began = Date.parse("2026-11-01T12:00:00Z");

/** One segment a day, sealed, each with an impression and an outcome of its day. */
async function dataOfDays(days: number): Promise<string> {
  const dataDir = await temporaryFolder();
  for (let n = 1; n <= days; n++) {
    const at = began + (n - 1) * day;
    const log = await openTestLog(join(dataDir, "log"));
    await log.appendImpression({ ...impressionOf(`r${n}`, "u1", "kd"), at });
    await log.appendOutcomes([{ ...outcomeOf(`o${n}`, `r${n}`, "t1"), occurredAt: at, receivedAt: at + 5 }]);
    await log.close();
  }
  return dataDir;
}

interface Kept {
  readonly compaction: Compaction;
  readonly warnings: readonly string[];
}

async function compacted(dataDir: string, rules: Partial<RetentionRules>): Promise<Kept> {
  const warnings: string[] = [];
  const compaction = await compactLog({
    segments: () => logSegments(join(dataDir, "log")),
    warehouse: join(dataDir, "warehouse"),
    retention: {
      log: {},
      warehouse: {},
      dedupeWindowMs: 7 * day,
      now: () => began + 10 * day,
      onWarning: (warning) => warnings.push(warning),
      ...rules,
    },
  });
  return { compaction, warnings };
}

const seg = (...numbers: number[]): string[] => numbers.map((n) => `${String(n).padStart(10, "0")}.seg`);

async function requestsOf(
  dataDir: string,
): Promise<{ requests: string[]; missingBefore: number | undefined }> {
  return withDataLogFiles(dataDir, async ({ impressions, missingBefore }) => ({
    requests: await columnOf("request", impressions),
    missingBefore,
  }));
}

test("without bounds nothing is deleted", async () => {
  const dataDir = await dataOfDays(3);
  const { compaction } = await compacted(dataDir, {});
  expect(compaction.retained).toBeUndefined();
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(1, 2, 3));
});

test("segments go by age, but none within the window of duplicates; what they held is read from their Parquet", async () => {
  const dataDir = await dataOfDays(6);
  const { compaction, warnings } = await compacted(dataDir, { log: { ageMs: 5 * day } });
  // Day 10 minus the 7 days: of those sealed on days 0 to 5, the first three and a bit are older.
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(4, 5, 6));
  expect(compaction.retained).toMatchObject({ segments: 3, parquetSegments: 0 });
  expect(warnings).toEqual([]);
  const { requests, missingBefore } = await requestsOf(dataDir);
  expect(requests).toEqual(["r1", "r2", "r3", "r4", "r5", "r6"]);
  expect(missingBefore).toBeUndefined();
});

test("the size limit forces segments out of that window, and says what it costs; the newest stays", async () => {
  const dataDir = await dataOfDays(6);
  const { warnings } = await compacted(dataDir, { log: { bytesMax: 1 } });
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(6));
  expect(warnings).toEqual([
    expect.stringMatching(
      /retentionBytesMax \(1\) took 2 segments within log\.dedupeWindow: .* taken as new/,
    ),
  ]);
  expect((await requestsOf(dataDir)).requests).toHaveLength(6);
});

test("what is not shipped stays, whatever the size, and a warning says so", async () => {
  const dataDir = await dataOfDays(4);
  const { warnings } = await compacted(dataDir, { log: { bytesMax: 1 }, shippedThrough: async () => 2 });
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(3, 4));
  expect(warnings).toEqual([expect.stringContaining("segment 0000000003 is not shipped yet: it stays")]);
});

test("a log whose oldest segments are gone starts, goes on with the next number, and knows what it still has", async () => {
  const dataDir = await dataOfDays(4);
  await compacted(dataDir, { log: { bytesMax: 1 } });
  const clock = { now: () => began + 4 * day, monotonic: () => performance.now() };
  const log = await openTestLog(join(dataDir, "log"), { clock });
  expect(log.recovery).toMatchObject({ impressions: 1, outcomes: 1 });
  const outcome = outcomeOf("o4", "r4", "t1");
  expect(await log.appendOutcomes([outcome, { ...outcome, outcomeId: "o5" }])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  });
  // Its segment is gone, and it with it.
  expect(await log.appendOutcomes([outcomeOf("o3", "r3", "t1")])).toMatchObject({ accepted: 1 });
  await log.close();
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(4, 5));
});

test("Parquet goes by age, oldest first; the segment stays done, and readers hear from when on there is anything", async () => {
  const dataDir = await dataOfDays(4);
  const rules = { log: { bytesMax: 1 }, warehouse: { ageMs: 8 * day } };
  const { compaction } = await compacted(dataDir, rules);
  // On day 10, days 0, 1 and 2 are 8 days old or more, but for the 5 ms of the outcome's arrival on the third.
  expect(compaction.retained).toMatchObject({ segments: 3, parquetSegments: 2 });
  expect(await readdir(join(dataDir, "warehouse/impressions"), { recursive: true })).not.toContain(
    "date=2026-11-01/0000000001.parquet",
  );
  expect(await requestsOf(dataDir)).toEqual({ requests: ["r3", "r4"], missingBefore: began + day + 5 });
  expect((await compacted(dataDir, rules)).compaction).toMatchObject({ segments: 0, segmentsDoneBefore: 1 });
});

test("Parquet goes by size, and not while somebody reads it", async () => {
  const dataDir = await dataOfDays(3);
  await compacted(dataDir, {});
  const warehouse = join(dataDir, "warehouse");
  const sizes = await Promise.all(
    ["impressions/date=2026-11-03", "outcomes/date=2026-11-03"].map(
      async (folder) => (await stat(join(warehouse, folder, "0000000003.parquet"))).size,
    ),
  );
  const rules = { warehouse: { bytesMax: sizes.reduce((a, b) => a + b) } };
  const reading = await shareReading(warehouse);
  expect((await compacted(dataDir, rules)).compaction.retained).toBeUndefined();
  expect((await requestsOf(dataDir)).requests).toEqual(["r1", "r2", "r3"]);
  reading.release();
  expect((await compacted(dataDir, rules)).compaction.retained).toMatchObject({ parquetSegments: 2 });
  expect((await requestsOf(dataDir)).requests).toEqual(["r3"]);
});

test("a marker from before it said how old its segment is counts by its own age", async () => {
  const dataDir = await dataOfDays(2);
  await compacted(dataDir, {});
  const path = join(dataDir, "warehouse/done/0000000001.json");
  const { default: marker } = await import(path, { with: { type: "json" } });
  await writeFile(path, JSON.stringify({ ...marker, facts: { impressions: 1, outcomes: 1 } }));
  await utimes(path, (began + 9 * day) / 1_000, (began + 9 * day) / 1_000);
  await compacted(dataDir, { log: { ageMs: day } });
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(1, 2));
  await utimes(path, (began + day) / 1_000, (began + day) / 1_000);
  await compacted(dataDir, { log: { ageMs: day } });
  expect(await segmentsIn(join(dataDir, "log"))).toEqual(seg(2));
});

test("behind a segment that is still being sealed nothing is deleted: numbers have no gaps", async () => {
  const dataDir = await dataOfDays(5);
  const log = join(dataDir, "log");
  await compacted(dataDir, {});
  await rename(join(log, "0000000003.seg"), join(log, "0000000003.open"));
  await compacted(dataDir, { log: { bytesMax: 1 } });
  expect(await segmentsIn(log)).toEqual([...seg(2), "0000000003.open", ...seg(4, 5)]);
});
