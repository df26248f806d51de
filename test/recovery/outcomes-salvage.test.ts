import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { salvageDataDirectory } from "../../src/app/data/salvage-data.ts";
import { stampFrames } from "../../src/outcomes/frame.ts";
import { type LogSalvage, salvageLog, verifyLog } from "../../src/outcomes/outcomes.ts";
import { encodeSegmentHeader } from "../../src/outcomes/segment-header.ts";
import { counterfactualOf, impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { hastyDisk, killedCopy, namesIn, openTestLog, segmentsIn } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const headerBytes = 32;
const recordsEach = 4;

/** Three sealed segments, and a fourth as a kill leaves it: each of an impression, an outcome and two comparisons. */
interface MadeLog {
  readonly dataDir: string;
  readonly directory: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly names: readonly string[];
  /** As they were made, but for these changes; undefined takes a file away. */
  put(changes?: Readonly<Record<string, Buffer | undefined>>): Promise<void>;
}

async function makeLog(): Promise<MadeLog> {
  const live = await temporaryFolder();
  const names: string[] = [];
  const dataDir = await temporaryFolder();
  const directory = join(dataDir, "log");
  for (let i = 1; i <= 4; i++) {
    const log = await openTestLog(live, { disk: hastyDisk });
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", ["t1"]));
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t1")]);
    await log.appendShadow(shadowOf(`s${i}`));
    await log.appendShadow(counterfactualOf(`c${i}`));
    names.push(`r${i}`, `o${i}`, `s${i}`, `c${i}`);
    if (i === 4) await killedCopy(live, directory);
    await log.close();
  }
  const files = new Map<string, Buffer>();
  // A kill leaves the spare segment too, where there is one; this log has none.
  for (const name of await segmentsIn(directory)) files.set(name, await readFile(join(directory, name)));
  return {
    dataDir,
    directory,
    files,
    names,
    async put(changes = {}) {
      for (const name of await readdir(directory)) await rm(join(directory, name));
      for (const [name, bytes] of Object.entries({ ...Object.fromEntries(files), ...changes })) {
        if (bytes !== undefined) await writeFile(join(directory, name), bytes);
      }
    },
  };
}

const second = "0000000002.seg";
const fourth = "0000000004.open";

interface Salvaged {
  readonly summary: LogSalvage;
  readonly log: string;
  readonly names: readonly string[];
}

/** Salvages, and holds what every salvage has to keep: a log that verifies, and a source that is as it was. */
async function salvage(
  { directory }: MadeLog,
  work = (into: string) => salvageLog({ directory, into, disk: hastyDisk }),
): Promise<Salvaged> {
  const into = await temporaryFolder();
  const before = await digestOf(directory);
  const summary = await work(into);
  expect(await digestOf(directory)).toBe(before);
  expect(await readdir(into)).toStrictEqual(["log"]);
  const log = join(into, "log");
  expect(await verifyLog(log)).toMatchObject({ corrupt: [], truncatedBytes: 0 });
  const names = await namesIn(log);
  expect(names).toHaveLength(summary.impressions + summary.outcomes + summary.shadows);
  return { summary, log, names };
}

async function digestOf(directory: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(directory)).sort())
    hash.update(name).update(await readFile(join(directory, name)));
  return hash.digest("hex");
}

function flipped(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] as number) ^ 0x10;
  return damaged;
}

const bytesOf = (made: MadeLog, name: string): Buffer => made.files.get(name) as Buffer;
const without = (made: MadeLog, ...lost: string[]) => made.names.filter((name) => !lost.includes(name));
const ofSegment = (made: MadeLog, number: number) =>
  made.names.slice((number - 1) * recordsEach, number * recordsEach);

test("a log in which nothing is wrong is copied as it is, and a server goes on with it", async () => {
  const made = await makeLog();
  await made.put();
  const { summary, log, names } = await salvage(made);
  expect(names).toStrictEqual(made.names);
  expect(summary).toMatchObject({ impressions: 4, outcomes: 4, shadows: 8, segments: 4, losses: [] });
  expect((await readFile(join(log, second))).equals(bytesOf(made, second))).toBe(true);
  const server = await openTestLog(log, { disk: hastyDisk });
  expect(
    await server.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("new", "r1", "t1")]),
  ).toMatchObject({ accepted: 1, duplicates: 1, unmatched: 0 });
  await server.close();
  expect(await segmentsIn(log)).toStrictEqual([
    "0000000001.seg",
    second,
    "0000000003.seg",
    "0000000004.seg",
    "0000000005.seg",
  ]);
});

test("whichever byte of a sealed segment is flipped, at most the record that it is in is lost, and counted", async () => {
  const made = await makeLog();
  const bytes = bytesOf(made, second);
  const lostBy = new Map<string, number>();
  for (let at = 0; at < bytes.length; at++) {
    await made.put({ [second]: flipped(bytes, at) });
    const { summary, names } = await salvage(made);
    const lost = made.names.filter((name) => !names.includes(name));
    expect(names, `byte ${at}`).toStrictEqual(without(made, ...lost));
    expect(summary.losses, `byte ${at}`).toMatchObject([{ segment: second }]);
    // A seal that is gone counts nothing any more.
    const expected = summary.losses[0]?.records === null ? [] : [lost.length];
    expect([[], [0], [1]]).toContainEqual(expected);
    lostBy.set(lost.join(), (lostBy.get(lost.join()) ?? 0) + 1);
  }
  expect([...lostBy.keys()]).toStrictEqual(["", "r2", "o2", "s2", "c2"]);
});

test("a sealed segment that was cut keeps what stands before the cut", async () => {
  const made = await makeLog();
  const bytes = bytesOf(made, second);
  const kept = new Set<number>();
  for (let size = 0; size < bytes.length; size++) {
    await made.put({ [second]: bytes.subarray(0, size) });
    const { summary, names } = await salvage(made);
    const left = names.length - 3 * recordsEach;
    expect(names, `cut at ${size}`).toStrictEqual(without(made, ...ofSegment(made, 2).slice(left)));
    expect(summary.losses).toMatchObject([{ segment: second, records: null }]);
    kept.add(left);
  }
  expect([...kept]).toStrictEqual([0, 1, 2, 3, 4]);
});

test("a header of which nothing is left costs no record: the salt is worked out from their checksums", async () => {
  const made = await makeLog();
  for (const name of [second, fourth]) {
    const damaged = Buffer.from(bytesOf(made, name)).fill(0xaa, 0, headerBytes);
    await made.put({ [name]: damaged });
    const { summary, names, log } = await salvage(made);
    expect(names).toStrictEqual(made.names);
    expect(summary.losses).toMatchObject([{ segment: name, bytes: headerBytes }]);
    const salt = (await readFile(join(log, name.replace("open", "seg")))).readUInt32LE(16);
    expect(salt).toBe(bytesOf(made, name).readUInt32LE(16));
  }
});

test("without a header one record of an open segment proves no salt, unless a marker remembers it", async () => {
  const made = await makeLog();
  const bytes = bytesOf(made, fourth);
  const one = bytes.subarray(0, headerBytes + 16 + bytes.readUInt32LE(headerBytes + 8));
  const damaged = Buffer.from(one).fill(0xaa, 0, headerBytes);
  await made.put({ [fourth]: damaged });
  const { summary, names } = await salvage(made);
  expect(names).toStrictEqual(made.names.slice(0, 12));
  expect(summary).toMatchObject({
    segments: 4,
    losses: [{ segment: fourth, records: null, bytes: one.length }],
  });
  expect(summary.losses[0]?.places[0]?.reason).toContain("no two records are left that tell its salt");
  const done = join(made.dataDir, "warehouse", "done");
  await mkdir(done, { recursive: true });
  await writeFile(join(done, "0000000004.json"), JSON.stringify({ salt: bytes.readUInt32LE(16) }));
  const remembered = await salvage(made, (into) => salvageDataDirectory({ dataDir: made.dataDir, into }));
  expect(remembered.names).toStrictEqual(made.names.slice(0, 13));
});

test("in place of missing segments stand empty ones, so that the numbers of the others stay", async () => {
  const made = await makeLog();
  await made.put({ [second]: undefined, "0000000003.seg": undefined });
  const { summary, names, log } = await salvage(made);
  expect(names).toStrictEqual([...ofSegment(made, 1), ...ofSegment(made, 4)]);
  expect(summary).toMatchObject({
    segments: 4,
    lostBytes: 0,
    losses: [
      { segment: second, records: null },
      { segment: "0000000003.seg", records: null },
    ],
  });
  const server = await openTestLog(log, { disk: hastyDisk });
  expect(server.recovery).toMatchObject({ impressions: 2, outcomes: 2 });
  await server.close();
});

test("a segment of a later version is left to the Setlist that wrote it, and said to be", async () => {
  const made = await makeLog();
  const bytes = bytesOf(made, second);
  const header = encodeSegmentHeader({ number: 2, salt: bytes.readUInt32LE(16), madeAt: 0 }, 99);
  await made.put({ [second]: Buffer.concat([header, bytes.subarray(headerBytes)]) });
  const { summary, names } = await salvage(made);
  expect(names).toStrictEqual(without(made, ...ofSegment(made, 2)));
  expect(summary.losses).toMatchObject([{ segment: second, records: null, bytes: bytes.length }]);
  expect(summary.losses[0]?.places[0]?.reason).toContain("schema version 99");
});

test("a copy under another name counts once, and a renamed segment goes back to its place", async () => {
  const made = await makeLog();
  await made.put();
  const at = (name: string) => join(made.directory, name);
  await rename(at(fourth), at("0000000005.open"));
  await copyFile(at(second), at("0000000006.seg"));
  const { summary, names } = await salvage(made);
  expect(names).toStrictEqual(made.names);
  expect(summary).toMatchObject({ lostRecords: 0 });
  expect(summary.losses.map(({ segment, records }) => [segment, records])).toStrictEqual([
    ["0000000005.open", 0],
    ["0000000005.seg", null],
    ["0000000006.seg", 0],
  ]);
});

test("a seal that counts as many records as there are, but others, is put right", async () => {
  const made = await makeLog();
  const bytes = Buffer.from(made.files.get(second) as Buffer);
  const seal = bytes.subarray(bytes.length - 29);
  // One impression and one outcome, it says: two impressions and none.
  seal.writeUInt32LE(2, 17);
  seal.writeUInt32LE(0, 21);
  stampFrames(seal, bytes.readUInt32LE(16), bytes.length - seal.length, 0);
  await made.put({ [second]: bytes });
  const { names, summary } = await salvage(made);
  expect(names).toEqual(made.names);
  expect(summary.losses).toMatchObject([
    { segment: second, places: [{ reason: "the seal counts other records than there are" }] },
  ]);
});

test("of a segment that is there twice the file is taken that holds more", async () => {
  const made = await makeLog();
  const bytes = bytesOf(made, second);
  await made.put({ "0000000002.open": bytes, [second]: bytes.subarray(0, 200) });
  const { summary, names } = await salvage(made);
  expect(names).toStrictEqual(made.names);
  expect(summary.losses).toMatchObject([{ segment: second, records: 0, bytes: 200 }]);
});

test("whatever is written over a log, what is salvaged was in it, in its order, and once", async () => {
  const made = await makeLog();
  const damage = fc.record({
    name: fc.constantFrom(...made.files.keys()),
    at: fc.nat(600),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    insert: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { maxLength: 6 }), async (damages) => {
      const changed = Object.fromEntries(made.files);
      for (const { name, at, bytes, insert } of damages) {
        const before = changed[name] as Buffer;
        const rest = before.subarray(Math.min(before.length, at + (insert ? 0 : bytes.length)));
        changed[name] = Buffer.concat([before.subarray(0, at), bytes, rest]);
      }
      await made.put(changed);
      const { names } = await salvage(made);
      expect(names).toStrictEqual(made.names.filter((name) => names.includes(name)));
    }),
    { numRuns: 60 },
  );
});
