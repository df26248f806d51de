import { expect, test } from "vitest";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { isSettled, namesIn, openTestLog, segmentsIn, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const outcomes = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => outcomeOf(`o${from + i}`, "r1", "t1"));

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

test("a segment size beyond what offsets can hold is refused", async () => {
  const opened = openTestLog(await temporaryFolder(), { segmentBytesMax: 2 ** 31 });
  await expect(opened).rejects.toThrow("segmentBytesMax: expected at most 1073741824, got 2147483648");
});
