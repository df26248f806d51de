import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import {
  killedCopy,
  namesIn,
  openTestLog,
  segmentsIn,
  testDisk,
  type Warning,
} from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
const broken = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });

/** A log on a disk that can fail, with a clock that only the test moves. */
async function openFailing() {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const warnings: Warning[] = [];
  let time = 0;
  const log = await openTestLog(directory, {
    disk,
    clock: { now: () => time, monotonic: () => time },
    onWarning: (message, fields) => warnings.push({ message, fields }),
  });
  const shown = (id: string) => log.appendImpression(impressionOf(id, "u1", "kd"));
  const happened = (id: string) => log.appendOutcomes([outcomeOf(id, "r1", "t1")]);
  const wait = (ms: number) => {
    time += ms;
  };
  return { directory, disk, log, warnings, shown, happened, wait };
}

const unavailable = { code: "UNAVAILABLE", retryAfterSeconds: 1 };

test("a full disk is told with what waits for it, once, and its end too", async () => {
  const { disk, log, warnings, shown, happened, wait } = await openFailing();
  disk.fail("write", full);
  await expect(happened("o1")).rejects.toMatchObject(unavailable);
  await shown("r1");
  wait(1_000);
  await Promise.allSettled([shown("r2"), happened("o2")]);
  expect(log.trouble()).toEqual({ reason: full.message, since: 0, impressionsWaiting: 2 });
  disk.mend();
  wait(1_000);
  await happened("o1");
  expect(log.trouble()).toBeUndefined();
  await log.close();
  expect(warnings).toStrictEqual([
    { message: expect.stringContaining("the disk refuses the outcome log"), fields: expect.anything() },
    { message: "the outcome log is written again", fields: { impressionsThatWaited: 2 } },
  ]);
});

test("impressions that a failed write had with them, and those that came meanwhile, keep their order", async () => {
  const { directory, disk, log, shown, happened } = await openFailing();
  await shown("r1");
  const release = disk.hold("write");
  const first = shown("r2");
  while (disk.calls.write < 3) await new Promise(setImmediate);
  const second = shown("r3");
  disk.fail("write", full);
  release();
  // Their answers leave at once.
  await Promise.all([first, second, shown("r4")]);
  disk.mend();
  await eventually(() => expect(log.trouble()).toBeUndefined());
  await happened("o1");
  expect(await namesIn(directory)).toStrictEqual(["r1", "r2", "r3", "r4", "o1"]);
  await log.close();
});

test("an impression whose write fails after a sync did stands before those that came after the sync", async () => {
  const { directory, disk, log, shown, happened } = await openFailing();
  const before = { ...disk.calls };
  const releaseSync = disk.hold("sync");
  const refused = expect(happened("o1")).rejects.toMatchObject(unavailable);
  while (disk.calls.sync === before.sync) await new Promise(setImmediate);
  const releaseWrite = disk.hold("write");
  const first = shown("r1");
  while (disk.calls.write < before.write + 2) await new Promise(setImmediate);
  disk.fail("sync", broken);
  disk.fail("write", full);
  releaseSync();
  await eventually(() => expect(log.trouble()).toBeDefined());
  await shown("r2");
  releaseWrite();
  await first;
  disk.mend();
  await refused;
  await eventually(() => expect(log.trouble()).toBeUndefined());
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "r2"]);
});

test("after a failed sync an answered impression is written once more, since the kernel may have lost it", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const written: string[] = [];
  const create = disk.create;
  disk.create = async (path) => {
    const file = await create(path);
    return {
      ...file,
      write(buffers, position) {
        written.push(Buffer.concat(buffers).toString("latin1"));
        return file.write(buffers, position);
      },
    };
  };
  const log = await openTestLog(directory, { disk });
  await log.appendImpression(impressionOf("request-1", "u1", "kd"));
  disk.fail("sync", broken);
  await expect(log.appendOutcomes([outcomeOf("o1", "request-1", "t1")])).rejects.toMatchObject(unavailable);
  disk.mend();
  await eventually(() => expect(log.trouble()).toBeUndefined());
  expect(written.filter((bytes) => bytes.includes("request-1") && !bytes.includes("o1"))).toHaveLength(2);
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["request-1"]);
});

test("without anyone who appends, the log is written again once the disk takes writes", async () => {
  const { directory, disk, log, shown } = await openFailing();
  disk.fail("write", full);
  await shown("r1");
  expect(log.trouble()).toMatchObject({ impressionsWaiting: 1 });
  disk.mend();
  await eventually(() => expect(log.trouble()).toBeUndefined());
  expect(await namesIn(directory)).toStrictEqual(["r1"]);
  await log.close();
});

test("a disk that still refuses is not taken for one that does not, also where nothing waits to be written", async () => {
  const { disk, log, happened } = await openFailing();
  disk.fail("write", full);
  await expect(happened("o1")).rejects.toMatchObject(unavailable);
  const before = disk.calls.write;
  await eventually(() => expect(disk.calls.write).toBeGreaterThan(before + 1));
  expect(log.trouble()).toMatchObject({ reason: full.message, since: 0, impressionsWaiting: 0 });
  disk.mend();
  await eventually(() => expect(log.trouble()).toBeUndefined());
  await log.close();
});

test("beyond the buffer's bound impressions are refused, those before it are kept", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk, impressionBufferBytesMax: 2_000 });
  const names = Array.from({ length: 40 }, (_, i) => `r${i}`);
  disk.fail("write", full);
  const kept: string[] = [];
  for (const name of names) {
    const [settled] = await Promise.allSettled([log.appendImpression(impressionOf(name, "u1", "kd"))]);
    if (settled.status === "fulfilled") kept.push(name);
    else expect(settled.reason).toMatchObject(unavailable);
  }
  expect(kept.length).toBeGreaterThan(5);
  expect(kept.length).toBeLessThan(20);
  expect(log.trouble()).toMatchObject({ impressionsWaiting: kept.length });
  disk.mend();
  await eventually(() => expect(log.trouble()).toBeUndefined());
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(kept);
});

test("between two attempts the disk is left alone", async () => {
  const { disk, log, shown, happened, wait } = await openFailing();
  disk.fail("write", full);
  await shown("r1");
  const before = disk.calls.write;
  for (let i = 0; i < 10; i++) await expect(happened("o1")).rejects.toMatchObject(unavailable);
  await shown("r2");
  expect(disk.calls.write).toBe(before);
  disk.mend();
  wait(1_000);
  await shown("r3");
  await log.close();
});

test("a repair that fails is tried again and loses no answered impression", async () => {
  const { directory, disk, log, shown, happened, wait } = await openFailing();
  await shown("r1");
  disk.fail("sync", broken);
  await expect(happened("o1")).rejects.toMatchObject(unavailable);
  for (const operation of ["truncate", "write", "sync"] as const) {
    disk.mend();
    disk.fail(operation, broken);
    wait(1_000);
    await expect(happened("o1")).rejects.toMatchObject(unavailable);
  }
  disk.mend();
  wait(1_000);
  await happened("o1");
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1"]);
});

test.each(["rename", "syncDirectory"] as const)(
  "a seal whose %s fails is made up for, and nothing of the segment is lost",
  async (operation) => {
    const directory = await temporaryFolder();
    const disk = testDisk();
    const log = await openTestLog(directory, { disk, segmentBytesMax: 3_000 });
    const names: string[] = [];
    const show = async () => {
      names.push(`r${names.length}`);
      await log.appendImpression(impressionOf(`r${names.length - 1}`, "u1", "kd"));
    };
    while ((await segmentsIn(directory)).length < 2) await show();
    disk.fail(operation, broken);
    while (log.trouble() === undefined) await show();
    await show();
    disk.mend();
    await eventually(() => expect(log.trouble()).toBeUndefined());
    await show();
    await log.close();
    expect(await namesIn(directory)).toStrictEqual(names);
    expect((await segmentsIn(directory)).filter((name) => name.endsWith(".open"))).toStrictEqual([]);
  },
);

test("where no new segment can be made, the full one grows on", async () => {
  const { directory, disk, log } = await openFailing();
  disk.fail("create", full);
  const large = impressionOf(
    "r",
    "u1",
    "kd",
    Array.from({ length: 2_000 }, (_, i) => `track-${i}-${"x".repeat(200)}`),
  );
  for (let i = 0; i < 5; i++) await log.appendImpression(large);
  expect(await segmentsIn(directory)).toHaveLength(1);
  disk.mend();
  await log.close();
  expect(await namesIn(directory)).toHaveLength(5);
});

test("close on a disk that still refuses says so, frees the directory and keeps what was acknowledged", async () => {
  const { directory, disk, log, warnings, shown, happened } = await openFailing();
  await happened("o1");
  disk.fail("write", full);
  await shown("r1");
  await expect(log.close()).rejects.toMatchObject(unavailable);
  expect(warnings.at(-1)).toMatchObject({
    message: "impressions that waited for the disk are lost: it still refuses",
    fields: { lost: 1 },
  });
  const again = await openTestLog(directory);
  expect(again.recovery).toMatchObject({ impressions: 0, outcomes: 1 });
  await again.close();
});

test("answered impressions stay in the file while a full disk is repaired, for a process that is killed meanwhile", async () => {
  const { directory, disk, log, shown, happened } = await openFailing();
  await happened("o1");
  await shown("r1");
  disk.fail("write", full);
  await expect(happened("o2")).rejects.toMatchObject(unavailable);
  const { write } = disk.calls;
  await eventually(() => expect(disk.calls.write).toBeGreaterThan(write + 1));
  expect(await namesIn(await killedCopy(directory, await temporaryFolder()))).toStrictEqual(["o1", "r1"]);
  disk.mend();
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["o1", "r1"]);
});

test("what waits is written at a close", async () => {
  const { directory, disk, log, shown } = await openFailing();
  disk.fail("write", full);
  await shown("r1");
  disk.mend();
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["r1"]);
});

test("the name of the log's folder is on the disk before anything is acknowledged in it", async () => {
  const parent = await temporaryFolder();
  const synced: string[] = [];
  const disk = {
    ...testDisk(),
    async syncDirectory(path: string) {
      synced.push(path);
    },
  };
  const log = await openTestLog(join(parent, "log"), { disk });
  expect(synced[0]).toBe(parent);
  await log.close();
});
