import { cp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LogPlace, LogTail, SyncedEnd } from "../../src/domain/log-reading.ts";
import { logIdentity, openLogTail } from "../../src/outcomes/outcomes.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { namesIn, openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function tailOf(directory: string, from?: LogPlace, synced: () => readonly SyncedEnd[] = () => []) {
  const warnings: string[] = [];
  return {
    warnings,
    tail: openLogTail({ directory, from, synced, onWarning: (text) => warnings.push(text) }),
  };
}

/** Names and places of all there is for now. */
async function read(tail: LogTail): Promise<{ name: string; place: LogPlace }[]> {
  const read = [];
  for (let records = await tail.next(); records.length > 0; records = await tail.next()) {
    for (const { record, place } of records) {
      read.push({ name: record.kind === "outcome" ? record.outcomeId : record.requestId, place });
    }
  }
  return read;
}

/** A closed log of several segments. */
async function sealedLog(): Promise<string> {
  const directory = join(await temporaryFolder(), "log");
  const log = await openTestLog(directory, { segmentBytesMax: 4_000 });
  for (let i = 0; i < 60; i++) {
    await log.appendImpression(impressionOf(`r${i}`, "u", "kd"));
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t1")]);
  }
  await log.close();
  return directory;
}

test("every record of a sealed log comes in order, and again from any place on", async () => {
  const directory = await sealedLog();
  const { tail } = tailOf(directory);
  const all = await read(tail);
  expect(all.map(({ name }) => name)).toStrictEqual(await namesIn(directory));
  expect((await segmentsIn(directory)).length).toBeGreaterThan(3);
  expect(await tail.bytesBehind(tail.place)).toBe(0);
  for (const [index, { place }] of all.entries()) {
    const again = tailOf(directory, place);
    expect((await again.tail.next())[0]?.place, String(index)).toStrictEqual(place);
    await again.tail.close();
  }
  const halfway = tailOf(directory, all[50]?.place);
  expect((await read(halfway.tail)).map(({ name }) => name)).toStrictEqual(
    all.slice(50).map(({ name }) => name),
  );
  expect(halfway.warnings).toStrictEqual([]);
});

test("of a segment that is being written only what is on the disk is read, and the rest once it is", async () => {
  const directory = join(await temporaryFolder(), "log");
  const log = await openTestLog(directory);
  let synced: readonly SyncedEnd[] = [];
  const { tail } = tailOf(directory, undefined, () => synced);
  await log.appendOutcomes([outcomeOf("o1", "r1", "t1")]);
  expect(await read(tail), "before the writer has said anything").toStrictEqual([]);
  synced = log.syncedEnds();
  expect((await read(tail)).map(({ name }) => name)).toStrictEqual(["o1"]);
  // In the file, and not synced for a minute.
  await log.appendImpression(impressionOf("r2", "u", "kd"));
  synced = log.syncedEnds();
  expect(await read(tail)).toStrictEqual([]);
  await log.appendOutcomes([outcomeOf("o2", "r2", "t1")]);
  synced = log.syncedEnds();
  expect((await read(tail)).map(({ name }) => name)).toStrictEqual(["r2", "o2"]);
  await log.close();
  synced = log.syncedEnds();
  expect(await read(tail)).toStrictEqual([]);
  await tail.close();
});

test("a damaged record stops the reader by its place; segments that are gone are told", async () => {
  const directory = await sealedLog();
  const all = await read(tailOf(directory).tail);
  const damaged = all[10]?.place as LogPlace;
  const copy = join(await temporaryFolder(), "log");
  await cp(directory, copy, { recursive: true });
  const [first = ""] = await segmentsIn(copy);
  const file = await open(join(copy, first), "r+");
  await file.write(Buffer.from([0x55]), 0, 1, damaged.offset + 20);
  await file.close();
  const broken = tailOf(copy);
  await expect(read(broken.tail)).rejects.toThrow(
    new RegExp(`${first} .* record 10 at offset ${damaged.offset}.*checksum`),
  );
  await rm(join(directory, first));
  const behind = tailOf(directory, all[0]?.place);
  expect((await read(behind.tail))[0]?.place.segment).toBe(2);
  expect(behind.warnings).toStrictEqual(["segments 1 to 1 are gone before they were read to their end"]);
});

test("a log has one name for as long as its folder is there", async () => {
  const directory = await sealedLog();
  const names = await Promise.all([logIdentity(directory), logIdentity(await sealedLog())]);
  expect(await logIdentity(directory)).toBe(names[0]);
  expect(names[0]).not.toBe(names[1]);
});

test("a log that was put back to before what was read of it is read from its start, and says so", async () => {
  const directory = await sealedLog();
  const backup = join(await temporaryFolder(), "log");
  const { tail } = tailOf(directory);
  const all = await read(tail);
  const end = tail.place;
  await tail.close();
  await cp(directory, backup, { recursive: true });
  for (const file of (await segmentsIn(backup)).slice(2)) await rm(join(backup, file));
  const places = [all.at(-1)?.place, { ...end, segment: end.segment + 1 }];
  for (const place of places) {
    const again = tailOf(backup, place);
    expect((await read(again.tail)).map(({ name }) => name)).toStrictEqual(await namesIn(backup));
    expect(again.warnings).toStrictEqual([expect.stringMatching(/ends before the place/)]);
    await again.tail.close();
  }
  const atTheEnd = tailOf(directory, end);
  expect(await read(atTheEnd.tail)).toStrictEqual([]);
  expect(atTheEnd.warnings).toStrictEqual([]);
});
