import { expect, test } from "vitest";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { isSettled, namesIn, openTestLog, recordsIn, segmentsIn, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const outcomes = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => outcomeOf(`o${from + i}`, "r1", "t1"));

test("what was appended is read back in order, after a close and a new start too", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory);
  const shown = impressionOf("r1", "u1", "kd");
  await log.appendImpression(shown);
  await log.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("o2", "r1", "t2")]);
  expect(await recordsIn(directory)).toStrictEqual([
    shown,
    outcomeOf("o1", "r1", "t1"),
    outcomeOf("o2", "r1", "t2"),
  ]);
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1", "o2"]);
  const again = await openTestLog(directory);
  expect(again.recovery).toStrictEqual({ impressions: 1, outcomes: 2, truncatedBytes: 0, segments: 1 });
  await again.appendImpression(impressionOf("r2", "u1", "kd"));
  await again.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1", "o2", "r2"]);
});

test("an impression is in the file before its promise resolves, without waiting for a sync", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk });
  const release = disk.hold("sync");
  const acknowledged = log.appendOutcomes(outcomes(1, 1));
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  expect(await namesIn(directory)).toStrictEqual(["o1", "r1"].sort((a) => (a === "r1" ? -1 : 1)));
  expect(await isSettled(acknowledged)).toBe(false);
  release();
  expect(await acknowledged).toStrictEqual({ accepted: 1, duplicates: 0, unmatched: 1 });
  await log.close();
});

test("what is appended at once goes to the disk in one write and one sync", async () => {
  const disk = testDisk();
  const log = await openTestLog(await temporaryFolder(), { disk });
  const before = { ...disk.calls };
  await Promise.all([
    ...Array.from({ length: 50 }, (_, i) => log.appendImpression(impressionOf(`r${i}`, "u1", "kd"))),
    ...Array.from({ length: 50 }, (_, i) => log.appendOutcomes(outcomes(10 * i, 10))),
  ]);
  expect(disk.calls.write - before.write).toBe(1);
  expect(disk.calls.sync - before.sync).toBe(1);
  await log.close();
});

test("what comes while a sync runs shares the next one", async () => {
  const disk = testDisk();
  const log = await openTestLog(await temporaryFolder(), { disk });
  const before = disk.calls.sync;
  const release = disk.hold("sync");
  const first = log.appendOutcomes(outcomes(0, 1));
  while (disk.calls.sync === before) await new Promise(setImmediate);
  const later = Array.from({ length: 20 }, (_, i) => log.appendOutcomes(outcomes(100 + i, 1)));
  expect(await isSettled(Promise.race(later))).toBe(false);
  release();
  await Promise.all([first, ...later]);
  expect(disk.calls.sync - before).toBe(2);
  await log.close();
});

test("impressions are synced by the clock, without anyone waiting", async () => {
  const disk = testDisk();
  const log = await openTestLog(await temporaryFolder(), { disk, syncIntervalMs: 10 });
  const before = disk.calls.sync;
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  await expect.poll(() => disk.calls.sync).toBe(before + 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(disk.calls.sync).toBe(before + 1);
  await log.close();
});

test("an outcome is taken once: within a batch, across batches and across starts", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory);
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  const [one, two, three] = outcomes(1, 3) as [never, never, never];
  expect(await log.appendOutcomes([one, two, one])).toStrictEqual({
    accepted: 2,
    duplicates: 1,
    unmatched: 0,
  });
  expect(await log.appendOutcomes([two])).toStrictEqual({ accepted: 0, duplicates: 1, unmatched: 0 });
  await log.close();
  const again = await openTestLog(directory);
  expect(await again.appendOutcomes([one, three, two])).toStrictEqual({
    accepted: 1,
    duplicates: 2,
    unmatched: 0,
  });
  await again.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1", "o2", "o3"]);
});

test("a duplicate of an outcome that is under way is not acknowledged before the first is durable", async () => {
  const disk = testDisk();
  const log = await openTestLog(await temporaryFolder(), { disk });
  const release = disk.hold("sync");
  const first = log.appendOutcomes(outcomes(1, 1));
  const second = log.appendOutcomes(outcomes(1, 1));
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  const third = log.appendOutcomes(outcomes(1, 1));
  expect(await isSettled(Promise.race([first, second, third]))).toBe(false);
  release();
  expect(await Promise.all([first, second, third])).toStrictEqual([
    { accepted: 1, duplicates: 0, unmatched: 1 },
    { accepted: 0, duplicates: 1, unmatched: 0 },
    { accepted: 0, duplicates: 1, unmatched: 0 },
  ]);
  await log.close();
});

test("ids that differ only in a lone surrogate are one id, as they are on the disk", async () => {
  const log = await openTestLog(await temporaryFolder());
  const answer = await log.appendOutcomes([outcomeOf("\ud800", "r1", "t1"), outcomeOf("\ufffd", "r1", "t1")]);
  expect(answer).toMatchObject({ accepted: 1, duplicates: 1 });
  await log.close();
});

test("outcomes of requests that the log does not remember are unmatched, across starts too", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory, { rememberedImpressionsMax: 10 });
  for (let i = 0; i < 40; i++) await log.appendImpression(impressionOf(`r${i}`, "u1", "kd"));
  const answering = (requestId: string) => [outcomeOf(`o-${requestId}`, requestId, "t1")];
  expect(await log.appendOutcomes(answering("r39"))).toMatchObject({ unmatched: 0 });
  expect(await log.appendOutcomes(answering("r30"))).toMatchObject({ unmatched: 0 });
  expect(await log.appendOutcomes(answering("r0"))).toMatchObject({ accepted: 1, unmatched: 1 });
  await log.close();
  const again = await openTestLog(directory, { rememberedImpressionsMax: 10 });
  expect(await again.appendOutcomes(answering("r38"))).toMatchObject({ unmatched: 0 });
  expect(await again.appendOutcomes(answering("r1"))).toMatchObject({ unmatched: 1 });
  await again.close();
});

test("a full segment is sealed and a new one begun, and no record is lost on the way", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory, { segmentBytesMax: 4_000 });
  const names: string[] = [];
  for (let i = 0; i < 300; i++) {
    names.push(`r${i}`, `o${i}`);
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd"));
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t1")]);
  }
  expect(await namesIn(directory)).toStrictEqual(names);
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(names);
  const segments = await segmentsIn(directory);
  expect(segments.length).toBeGreaterThan(5);
  expect(segments.filter((name) => name.endsWith(".open"))).toStrictEqual([]);
});

test("appends go on while a full segment waits for its sync", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { segmentBytesMax: 4_000, disk });
  while ((await segmentsIn(directory)).length < 2) await log.appendImpression(impressionOf("r", "u1", "kd"));
  const renames = disk.calls.rename;
  const release = disk.hold("rename");
  while (disk.calls.rename === renames) await log.appendImpression(impressionOf("r", "u1", "kd"));
  expect(await isSettled(log.appendOutcomes(outcomes(1, 1)), 2_000)).toBe(true);
  release();
  await log.close();
});

test("a log without records leaves no segment behind", async () => {
  const directory = await temporaryFolder();
  await (await openTestLog(directory)).close();
  expect(await segmentsIn(directory)).toStrictEqual([]);
});

test("close drains: what was appended before it is acknowledged, what comes after is refused", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory);
  const acknowledged = log.appendOutcomes(outcomes(1, 500));
  const closed = log.close();
  await expect(log.appendImpression(impressionOf("r1", "u1", "kd"))).rejects.toMatchObject({
    code: "UNAVAILABLE",
  });
  expect(await acknowledged).toMatchObject({ accepted: 500 });
  await closed;
  await log.close();
  expect(await namesIn(directory)).toHaveLength(500);
});

test("a segment size beyond what offsets can hold is refused", async () => {
  const opened = openTestLog(await temporaryFolder(), { segmentBytesMax: 2 ** 31 });
  await expect(opened).rejects.toThrow("segmentBytesMax: expected at most 1073741824, got 2147483648");
});
