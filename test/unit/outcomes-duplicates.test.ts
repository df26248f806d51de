import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Outcome } from "../../src/domain/outcome.ts";
import { Batch } from "../../src/outcomes/batch.ts";
import { type Disk, realDisk } from "../../src/outcomes/disk.ts";
import type { IdGeneration } from "../../src/outcomes/id-generation.ts";
import { KnownOutcomes } from "../../src/outcomes/known-outcomes.ts";
import { outcomeOf } from "../support/log-records.ts";
import {
  isSettled,
  namesIn,
  openTestLog,
  segmentsIn,
  testDisk,
  type Warning,
} from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const noon = Date.parse("2026-11-22T12:00:00.000Z");
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const received = (id: string, receivedAt: number): Outcome => ({ ...outcomeOf(id, "r1", "t1"), receivedAt });

/** Outcomes whose ids have so many characters. */
const manyOf = (prefix: string, count: number, receivedAt = noon): Outcome[] =>
  Array.from({ length: count }, (_, i) => received(`${prefix}-${String(i).padStart(12, "0")}`, receivedAt));

/** The real disk, whose reads for comparing ids are counted. */
function countingDisk(): Disk & { reads: number } {
  const disk = {
    ...realDisk,
    reads: 0,
    async openToRead(path: string) {
      const file = await realDisk.openToRead(path);
      if (file === undefined) return undefined;
      return {
        ...file,
        read(position: number, bytes: number) {
          disk.reads++;
          return file.read(position, bytes);
        },
      };
    },
  };
  return disk;
}

/** Every id has one of four fingerprints: nearly every hit is another id's. */
const coarse = (bytes: Uint8Array, start: number, end: number, to: Uint32Array): void => {
  to[0] = 1;
  to[1] = (bytes[end - 1] as number) & 3;
  to[2] = end - start;
};

test("a fingerprint that several ids share drops none of them, on the way, on the disk and after a start", async () => {
  const directory = await temporaryFolder();
  const options = { fingerprint: coarse };
  const log = await openTestLog(directory, options);
  const some = manyOf("o", 40);
  expect(await log.appendOutcomes([...some, ...some])).toMatchObject({ accepted: 40, duplicates: 40 });
  const others = manyOf("p", 40);
  expect(await log.appendOutcomes([...others, ...some])).toMatchObject({ accepted: 40, duplicates: 40 });
  await log.close();
  const again = await openTestLog(directory, options);
  const third = manyOf("q", 40);
  expect(await again.appendOutcomes([...third, ...others, ...some])).toMatchObject({
    accepted: 40,
    duplicates: 80,
  });
  await again.close();
  const names = await namesIn(directory);
  expect(names).toHaveLength(120);
  expect(new Set(names).size).toBe(120);
});

test("ids that begin alike, or are as long, are no duplicates", async () => {
  const log = await openTestLog(await temporaryFolder(), { fingerprint: coarse });
  const ids = ["a", "aa", "ab", "aab", "a\u0000", "é", "e"];
  for (const id of ids) expect(await log.appendOutcomes([received(id, noon)])).toMatchObject({ accepted: 1 });
  for (const id of ids)
    expect(await log.appendOutcomes([received(id, noon)])).toMatchObject({ duplicates: 1 });
  await log.close();
});

test("a batch of 500 that is sent again costs a few reads, once more none", async () => {
  const directory = await temporaryFolder();
  const disk = countingDisk();
  const log = await openTestLog(directory, { disk });
  const batch = manyOf("o", 500);
  await log.appendOutcomes(batch);
  expect(disk.reads).toBe(0);
  expect(await log.appendOutcomes(batch)).toMatchObject({ accepted: 0, duplicates: 500 });
  expect(disk.reads).toBeGreaterThan(0);
  expect(disk.reads).toBeLessThan(10);
  const { reads } = disk;
  expect(await log.appendOutcomes(batch)).toMatchObject({ accepted: 0, duplicates: 500 });
  expect(disk.reads).toBe(reads);
  await log.appendOutcomes(manyOf("p", 500));
  expect(disk.reads).toBe(reads);
  await log.close();
});

test("what was read back is not taken for what a repair put in its place", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  let time = 0;
  const log = await openTestLog(directory, { disk, clock: { now: () => time, monotonic: () => time } });
  await log.appendOutcomes([received("o1", 0)]);
  disk.fail("sync", new Error("EIO"));
  const refused = expect(log.appendOutcomes([received("o2", 0)])).rejects.toThrow("EIO");
  // Reads the window that o2 stands in by now.
  expect(await log.appendOutcomes([received("o1", 0)]).catch((error: Error) => error.message)).toBeDefined();
  await refused;
  disk.mend();
  time += 1_000;
  await log.appendOutcomes([received("o3", 0)]);
  expect(await log.appendOutcomes([received("o3", 0), received("o2", 0)])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  });
  await log.close();
  expect(await namesIn(directory)).toEqual(["o1", "o3", "o2"]);
});

test("an outcome is known for the window after it was received, also by a new start, and not much longer", async () => {
  const directory = await temporaryFolder();
  let time = noon;
  const options = {
    dedupeWindowMs: 8 * hourMs,
    clock: { now: () => time, monotonic: () => time },
  };
  let log = await openTestLog(directory, options);
  expect(await log.appendOutcomes([received("o1", time)])).toMatchObject({ accepted: 1 });
  for (let hour = 1; hour <= 7; hour++) {
    time = noon + hour * hourMs;
    expect(await log.appendOutcomes([received(`h${hour}`, time), received("o1", time)])).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
    await log.close();
    log = await openTestLog(directory, options);
  }
  expect(log.dedupeWindowMs).toBe(8 * hourMs);
  time = noon + 10 * hourMs;
  await log.appendOutcomes([received("h10", time)]);
  expect(await log.appendOutcomes([received("o1", time), received("h3", time)])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  });
  await log.close();
  const again = await openTestLog(directory, options);
  expect(await again.appendOutcomes([received("h1", time), received("o1", time)])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  });
  await again.close();
});

test("the clock going back an hour, or a day, forgets nothing", async () => {
  let time = noon;
  const log = await openTestLog(await temporaryFolder(), {
    dedupeWindowMs: 2 * hourMs,
    clock: { now: () => time, monotonic: () => time },
  });
  await log.appendOutcomes([received("o1", time)]);
  time = noon - hourMs;
  expect(await log.appendOutcomes([received("o2", time), received("o1", time)])).toMatchObject({
    accepted: 1,
    duplicates: 1,
  });
  time = noon - dayMs;
  await log.appendOutcomes([received("o3", time)]);
  expect(await log.appendOutcomes([received("o1", time), received("o2", time)])).toMatchObject({
    duplicates: 2,
  });
  time = noon + hourMs / 2;
  await log.appendOutcomes([received("o4", time)]);
  expect(await log.appendOutcomes([received("o1", time), received("o2", time)])).toMatchObject({
    duplicates: 2,
  });
  await log.close();
});

test("what does not fit the memory is forgotten early, oldest first, with a warning and the real window", async () => {
  const directory = await temporaryFolder();
  const warnings: Warning[] = [];
  let time = noon;
  const options = {
    dedupeWindowMs: 7 * dayMs,
    dedupeMemoryBytesMax: 2 * 1024 * 1024,
    clock: { now: () => time, monotonic: () => time },
    onWarning: (message: string, fields: Record<string, unknown>) => warnings.push({ message, fields }),
  };
  const log = await openTestLog(directory, options);
  const first = manyOf("first", 500, time);
  await log.appendOutcomes(first);
  expect(await log.appendOutcomes(first)).toMatchObject({ duplicates: 500 });
  let last: Outcome[] = [];
  for (let minute = 1; minute <= 400; minute++) {
    time = noon + minute * 60_000;
    last = manyOf(`m${minute}`, 500, time);
    await log.appendOutcomes(last);
  }
  expect(warnings.length).toBeGreaterThan(0);
  expect(warnings[0]?.message).toContain("log.dedupeMemoryBytesMax, 2097152 bytes");
  const real = log.dedupeWindowMs;
  expect(real).toBeGreaterThan(60_000);
  expect(real).toBeLessThan(399 * 60_000);
  expect(await log.appendOutcomes(last)).toMatchObject({ duplicates: 500 });
  const minute = 400 - Math.floor(real / 60_000) + 1;
  expect(await log.appendOutcomes(manyOf(`m${minute}`, 500, time))).toMatchObject({ duplicates: 500 });
  expect(await log.appendOutcomes(first)).toMatchObject({ accepted: 500, duplicates: 0 });
  await log.close();

  const before = warnings.length;
  const again = await openTestLog(directory, options);
  expect(again.recovery.outcomes).toBe(401 * 500 + 500);
  expect(warnings.length - before).toBe(1);
  expect(again.dedupeWindowMs).toBeLessThan(399 * 60_000);
  expect(await again.appendOutcomes(last)).toMatchObject({ duplicates: 500 });
  await again.close();
});

test("an outcome in a segment that was deleted is unknown, and taken again", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory, { segmentBytesMax: 4_000 });
  const batches = Array.from({ length: 12 }, (_, i) => manyOf(`b${i}`, 20));
  for (const batch of batches) await log.appendOutcomes(batch);
  await expect.poll(() => segmentsIn(directory)).toContain("0000000001.seg");
  await rm(join(directory, "0000000001.seg"));
  expect(await log.appendOutcomes(batches[0] as Outcome[])).toMatchObject({ accepted: 20, duplicates: 0 });
  expect(await log.appendOutcomes(batches[11] as Outcome[])).toMatchObject({ accepted: 0, duplicates: 20 });
  await log.close();
});

test("where the disk does not let the log look, outcomes that may be known are refused, not guessed", async () => {
  const disk: Disk = { ...realDisk };
  const log = await openTestLog(await temporaryFolder(), { disk });
  await log.appendOutcomes(manyOf("o", 3));
  disk.openToRead = async () => {
    throw new Error("EIO: i/o error, open");
  };
  await expect(log.appendOutcomes([...manyOf("p", 1), ...manyOf("o", 3)])).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: "the outcome log takes nothing right now: the disk refuses: EIO: i/o error, open",
  });
  disk.openToRead = realDisk.openToRead;
  expect(await log.appendOutcomes([...manyOf("p", 1), ...manyOf("o", 3)])).toMatchObject({
    accepted: 1,
    duplicates: 3,
  });
  await log.close();
});

test("duplicates of what is on the disk wait for nothing but the disk's answer", async () => {
  const directory = await temporaryFolder();
  const disk = testDisk();
  const log = await openTestLog(directory, { disk });
  await log.appendOutcomes(manyOf("o", 5));
  const release = disk.hold("sync");
  const first = log.appendOutcomes(manyOf("p", 1));
  const mixed = log.appendOutcomes([...manyOf("o", 5), ...manyOf("p", 1)]);
  expect(await isSettled(mixed)).toBe(false);
  release();
  expect(await first).toMatchObject({ accepted: 1 });
  expect(await mixed).toMatchObject({ accepted: 0, duplicates: 6 });
  await log.close();
});

test("an outcome that comes while what stands before it in the file is read back is known once that is read", async () => {
  const directory = await temporaryFolder();
  let gate: Promise<void> | undefined;
  const read = Promise.withResolvers<void>();
  const disk: Disk = {
    ...realDisk,
    async openToRead(path) {
      const file = await realDisk.openToRead(path);
      if (file === undefined) return undefined;
      return {
        ...file,
        async read(position, bytes) {
          const there = await file.read(position, bytes);
          read.resolve();
          await gate;
          return there;
        },
      };
    },
  };
  const log = await openTestLog(directory, { disk });
  await log.appendOutcomes([received("o1", noon)]);
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  const both = log.appendOutcomes([received("o1", noon), received("o2", noon)]);
  await read.promise;
  expect(await log.appendOutcomes([received("o2", noon)])).toMatchObject({ accepted: 1 });
  opened.resolve();
  expect(await both).toMatchObject({ accepted: 0, duplicates: 2 });
  await log.close();
  expect(await namesIn(directory)).toStrictEqual(["o1", "o2"]);
});

test("a batch whose outcomes all turn out to be known is not kept in memory for the window", () => {
  const known = new KnownOutcomes({
    windowMs: dayMs,
    memoryBytesMax: 1_000_000,
    now: () => noon,
    onWarning: () => undefined,
  });
  const batch = new Batch();
  known.add(Uint32Array.of(1, 2, 3), batch, 0, noon);
  const { place } = batch;
  const generation = batch.generation as IdGeneration;
  expect(generation.at(place, 0)).toHaveProperty("batch");
  known.takeBack(batch, 0);
  expect(generation.at(place, 0)).not.toHaveProperty("batch");
});
