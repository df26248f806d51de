import { expect, test, vi } from "vitest";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { namesIn, openTestLog, segmentsIn, testDisk, type Warning } from "../support/outcomes-log.ts";
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

test("a full disk: both kinds are refused, nothing half-written stays, and it goes on once there is room", async () => {
  const { directory, disk, log, warnings, shown, happened, wait } = await openFailing();
  await shown("r1");
  await happened("o1");
  disk.fail("write", full);
  await expect(happened("o2")).rejects.toMatchObject(unavailable);
  await expect(shown("r2")).rejects.toThrow("the disk refuses: ENOSPC");
  wait(1_000);
  await expect(Promise.all([shown("r3"), happened("o3")])).rejects.toMatchObject(unavailable);
  disk.mend();
  wait(1_000);
  await shown("r4");
  expect(await happened("o2")).toMatchObject({ accepted: 1, duplicates: 0 });
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1", "r4", "o2"]);
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["r1", "o1", "r4", "o2"]);
  expect(warnings.map(({ message }) => message)).toContain("the outcome log is written again");
});

test("between two attempts the disk is left alone", async () => {
  const { disk, log, shown, wait } = await openFailing();
  disk.fail("write", full);
  await expect(shown("r1")).rejects.toMatchObject(unavailable);
  const before = disk.calls.write;
  for (let i = 0; i < 10; i++) await expect(shown("r2")).rejects.toMatchObject(unavailable);
  expect(disk.calls.write).toBe(before);
  disk.mend();
  wait(1_000);
  await shown("r3");
  await log.close();
});

test("a failed sync: its outcomes are refused and gone, answered impressions stay, a later sync is not believed", async () => {
  const { directory, disk, log, shown, happened, wait } = await openFailing();
  await happened("o1");
  await shown("r1");
  disk.fail("sync", broken);
  const refused = happened("o2");
  await shown("r2");
  await expect(refused).rejects.toThrow("the disk refuses: EIO");
  disk.mend();
  wait(1_000);
  expect(await happened("o2")).toMatchObject({ accepted: 1, duplicates: 0 });
  expect(await namesIn(directory)).toStrictEqual(["o1", "r1", "r2", "o2"]);
  await log.close();
  const again = await openTestLog(directory);
  expect(again.recovery).toMatchObject({ impressions: 2, outcomes: 2, truncatedBytes: 0 });
  await again.close();
});

test("a duplicate that waits for an outcome whose sync fails is refused with it", async () => {
  const { disk, log, happened, wait } = await openFailing();
  disk.fail("sync", broken);
  const results = await Promise.allSettled([happened("o1"), happened("o1")]);
  expect(results.map(({ status }) => status)).toStrictEqual(["rejected", "rejected"]);
  disk.mend();
  wait(1_000);
  expect(await happened("o1")).toMatchObject({ accepted: 1 });
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

test("a seal that fails is made up for, and nothing of the segment is lost", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  let time = 0;
  const log = await openTestLog(directory, {
    disk,
    segmentBytesMax: 3_000,
    clock: { now: () => time, monotonic: () => time },
  });
  const names: string[] = [];
  disk.fail("rename", broken);
  for (let refused = false, i = 0; !refused; i++) {
    const [appended] = await Promise.allSettled([log.appendImpression(impressionOf(`r${i}`, "u1", "kd"))]);
    refused = appended.status === "rejected";
    names.push(...(refused ? [] : [`r${i}`]));
  }
  disk.mend();
  time += 1_000;
  // The refusal lasts until what was under way has ended, which takes as long as the disk does.
  await vi.waitFor(() => log.appendImpression(impressionOf("last", "u1", "kd")), {
    timeout: 5_000,
    interval: 5,
  });
  await log.close();
  expect(await namesIn(directory)).toStrictEqual([...names, "last"]);
  expect((await segmentsIn(directory)).filter((name) => name.endsWith(".open"))).toStrictEqual([]);
});

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
  const { directory, disk, log, shown, happened } = await openFailing();
  await happened("o1");
  disk.fail("write", full);
  await expect(shown("r1")).rejects.toMatchObject(unavailable);
  await expect(log.close()).rejects.toMatchObject(unavailable);
  const again = await openTestLog(directory);
  expect(again.recovery).toMatchObject({ impressions: 0, outcomes: 1 });
  await again.close();
});
