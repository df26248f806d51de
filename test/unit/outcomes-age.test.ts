import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { eventually } from "../support/eventually.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { namesIn, openTestLog, segmentsIn, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const shown = (id: string) => impressionOf(id, "u1", "kd");

test("a segment that holds something is sealed once it is old enough, also where nothing more comes", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory, { segmentAgeMaxMs: 50 });
  await log.appendImpression(shown("r1"));
  await expect.poll(() => segmentsIn(directory)).toEqual(["0000000001.seg", "0000000002.open"]);
  await log.appendImpression(shown("r2"));
  await log.appendOutcomes([outcomeOf("o2", "r2", "t1")]);
  await expect
    .poll(() => segmentsIn(directory))
    .toEqual(["0000000001.seg", "0000000002.seg", "0000000003.open"]);
  await log.close();
  expect(await namesIn(directory)).toEqual(["r1", "r2", "o2"]);
});

test("an empty segment is never sealed, however old, and begins to age with its first record", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = await temporaryFolder();
  const log = await openTestLog(directory, { segmentAgeMaxMs: 400 });
  await vi.advanceTimersByTimeAsync(500);
  expect(await segmentsIn(directory)).toEqual(["0000000001.open"]);
  await log.appendImpression(shown("r1"));
  await vi.advanceTimersByTimeAsync(399);
  expect(await segmentsIn(directory)).toEqual(["0000000001.open"]);
  await vi.advanceTimersByTimeAsync(1);
  await expect.poll(() => segmentsIn(directory)).toContain("0000000001.seg");
  // So does the one that was begun by that.
  await vi.advanceTimersByTimeAsync(500);
  await log.appendImpression(shown("r2"));
  await log.appendImpression(shown("r3"));
  await vi.advanceTimersByTimeAsync(399);
  expect(await segmentsIn(directory)).toEqual(["0000000001.seg", "0000000002.open"]);
  await log.close();
});

test("without an age, or before it, a segment stays open", async () => {
  const [never, later] = [await temporaryFolder(), await temporaryFolder()];
  const logs = await Promise.all([
    openTestLog(never, { segmentAgeMaxMs: 0 }),
    openTestLog(later, { segmentAgeMaxMs: 100 * 86_400_000 }),
  ]);
  await Promise.all(logs.map((log) => log.appendImpression(shown("r1"))));
  await delay(100);
  expect(await segmentsIn(never)).toEqual(["0000000001.open"]);
  expect(await segmentsIn(later)).toEqual(["0000000001.open"]);
  await Promise.all(logs.map((log) => log.close()));
});

test("where no new segment can be made the old one is sealed later, and loses nothing", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk, segmentAgeMaxMs: 50 });
  disk.fail("create", new Error("ENOSPC: no space left on device, open"));
  await log.appendImpression(shown("r1"));
  const before = disk.calls.create;
  await eventually(() => expect(disk.calls.create).toBeGreaterThan(before + 1));
  await log.appendImpression(shown("r2"));
  expect(log.trouble()).toBeUndefined();
  expect(await segmentsIn(directory)).toEqual(["0000000001.open"]);
  disk.mend();
  await expect.poll(() => segmentsIn(directory)).toContain("0000000001.seg");
  await log.close();
  expect(await namesIn(directory)).toEqual(["r1", "r2"]);
});

test("a segment that comes to its age while a close repairs the log does not have what waits written twice", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk, segmentAgeMaxMs: 100 });
  await log.appendImpression(shown("r1"));
  disk.fail("write", new Error("ENOSPC: no space left on device, write"));
  await log.appendImpression(shown("r2"));
  const release = disk.hold("truncate");
  disk.mend();
  const closed = log.close();
  await delay(200);
  release();
  await closed;
  expect(await namesIn(directory)).toStrictEqual(["r1", "r2"]);
});
