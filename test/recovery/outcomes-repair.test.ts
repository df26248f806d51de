import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { namesIn, openTestLog, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a sync that ends while a failed write is repaired leaves no hole behind acknowledged outcomes", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  let time = 0;
  const log = await openTestLog(directory, {
    disk,
    syncIntervalMs: 30,
    clock: { now: () => time, monotonic: () => time },
  });
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  disk.fail("write", new Error("ENOSPC"));
  await expect(log.appendOutcomes([outcomeOf("o1", "r1", "t1")])).rejects.toThrow("ENOSPC");
  disk.mend();

  // The impression's own sync, armed before the failure, begins after it and is slow.
  const releaseSync = disk.hold("sync");
  await expect.poll(() => disk.calls.sync).toBeGreaterThan(1);
  time += 1_000;
  const releaseTruncate = disk.hold("truncate");
  const second = log.appendOutcomes([outcomeOf("o2", "r1", "t1")]);
  await sleep(20);
  releaseSync();
  await sleep(20);
  releaseTruncate();
  expect(await second).toMatchObject({ accepted: 1 });
  await log.close();

  const again = await openTestLog(directory);
  expect(again.recovery).toMatchObject({ impressions: 1, outcomes: 1, truncatedBytes: 0 });
  await again.close();
  expect(await namesIn(directory)).toEqual(["r1", "o2"]);
});
