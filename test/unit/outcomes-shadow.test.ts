import { open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stampFrames } from "../../src/outcomes/frame.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { writeComparisonFrame, writeSealFrame } from "../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../src/outcomes/record-writer.ts";
import { encodeSegmentHeader, segmentHeaderBytes } from "../../src/outcomes/segment-header.ts";
import { impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { namesIn, openTestLog, recordsIn, segmentsIn, testDisk } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("a comparison with a shadow model in the log", () => {
  test("is a record of its own beside its impression, with or without a tau", async () => {
    const directory = await temporaryFolder();
    const log = await openTestLog(directory);
    await log.appendImpression(impressionOf("r1", "u1", "kd"));
    await log.appendShadow(shadowOf("r1"));
    await log.appendShadow(shadowOf("r2", { tau: undefined, candidateCount: 1 }));
    await log.close();
    expect(await recordsIn(directory)).toStrictEqual([
      impressionOf("r1", "u1", "kd"),
      shadowOf("r1"),
      shadowOf("r2", { tau: undefined, candidateCount: 1 }),
    ]);
  });

  test("makes no request known and no outcome a duplicate, before a restart and behind it", async () => {
    const directory = await temporaryFolder();
    const first = await openTestLog(directory);
    await first.appendShadow(shadowOf("o1"));
    await first.close();
    const second = await openTestLog(directory);
    expect(second.recovery).toMatchObject({ impressions: 0, outcomes: 0, segments: 1 });
    expect(await second.appendOutcomes([outcomeOf("o1", "o1", "t1")])).toEqual({
      accepted: 1,
      duplicates: 0,
      unmatched: 1,
    });
    await second.close();
  });

  test("is counted in the seal: a sealed segment that has fewer is damaged", async () => {
    const directory = await temporaryFolder();
    const salt = 7;
    const to = new RecordWriter();
    writeComparisonFrame(to, shadowOf("r1"));
    writeSealFrame(to, { impressions: 0, outcomes: 0, shadows: 2 });
    const frames = to.bytes();
    stampFrames(frames, salt, segmentHeaderBytes, segmentHeaderBytes);
    const header = encodeSegmentHeader({ number: 1, salt, madeAt: 0 });
    await writeFile(join(directory, "0000000001.seg"), Buffer.concat([header, frames]));
    const { shadows, corrupt } = await verifyLog(directory);
    expect(shadows).toBe(1);
    expect(corrupt.map(({ reason }) => reason)).toEqual([
      "the seal counts 0 impressions, 0 outcomes and 2 comparisons, the segment has 0, 0 and 1",
    ]);
  });

  test("survives a stop without a seal, which the next start then writes", async () => {
    const directory = await temporaryFolder();
    const log = await openTestLog(directory);
    await log.appendShadow(shadowOf("r1"));
    await log.close();
    // The seal's frame: a header of 16, the kind, three counts.
    const sealBytes = 29;
    const sealed = join(directory, "0000000001.seg");
    const file = await open(sealed, "r+");
    await file.truncate((await file.stat()).size - sealBytes);
    await file.close();
    await rename(sealed, join(directory, "0000000001.open"));
    const again = await openTestLog(directory);
    expect(again.recovery).toMatchObject({ truncatedBytes: 0, segments: 1 });
    await again.close();
    expect(await segmentsIn(directory)).toEqual(["0000000001.seg"]);
    expect(await verifyLog(directory)).toMatchObject({ shadows: 1, truncatedBytes: 0, corrupt: [] });
  });

  test("is refused while the disk is, and kept where it was written before a sync failed", async () => {
    const directory = await temporaryFolder();
    const disk = testDisk();
    let time = 0;
    const log = await openTestLog(directory, { disk, clock: { now: () => time, monotonic: () => time } });
    await log.appendImpression(impressionOf("r1", "u1", "kd"));
    await log.appendShadow(shadowOf("r1"));
    disk.fail("sync", new Error("EIO"));
    await expect(log.appendOutcomes([outcomeOf("o1", "r1", "t1")])).rejects.toThrow("EIO");
    await expect(log.appendShadow(shadowOf("r2"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    disk.mend();
    time += 1_000;
    await log.appendShadow(shadowOf("r3"));
    await log.close();
    expect(await namesIn(directory)).toEqual(["r1", "r1", "r3"]);
    expect(await verifyLog(directory)).toEqual({
      impressions: 1,
      outcomes: 0,
      shadows: 2,
      truncatedBytes: 0,
      corrupt: [],
    });
  });
});
