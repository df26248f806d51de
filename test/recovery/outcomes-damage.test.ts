import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stampFrames } from "../../src/outcomes/frame.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { encodeSegmentHeader } from "../../src/outcomes/segment-header.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import {
  hastyDisk,
  killedCopy,
  namesIn,
  openTestLog,
  segmentsIn,
  testDisk,
  type Warning,
} from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const headerBytes = 32;
const openName = "0000000001.open";
const sealedName = "0000000001.seg";

/** One segment with records `r0 o0 r1 o1 r2 o2`, in a file of `name`. */
interface MadeLog {
  readonly directory: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly names: readonly string[];
  /** Where each record starts, and where the last one ends. */
  readonly offsets: readonly number[];
  /** Puts the segment back with other bytes, as if nothing had been started on it yet. */
  put(bytes: Buffer): Promise<void>;
}

/** Each record was written and synced on its own. `open` is what a kill leaves, `sealed` what a close does. */
async function makeLog(kind: "open" | "sealed"): Promise<MadeLog> {
  const live = await temporaryFolder();
  const log = await openTestLog(live, { disk: hastyDisk });
  const size = async () => (await readFile(join(live, openName))).length;
  const offsets = [headerBytes];
  const names: string[] = [];
  for (let i = 0; i < 3; i++) {
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", ["t1"]));
    offsets.push(await size());
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t1")]);
    offsets.push(await size());
    names.push(`r${i}`, `o${i}`);
  }
  const killed = await killedCopy(live, join(await temporaryFolder(), "log"));
  await log.close();
  const directory = kind === "open" ? killed : live;
  const name = kind === "open" ? openName : sealedName;
  return {
    directory,
    name,
    names,
    offsets,
    bytes: await readFile(join(directory, name)),
    async put(bytes) {
      for (const segment of await segmentsIn(directory)) await rm(join(directory, segment));
      await writeFile(join(directory, name), bytes);
    },
  };
}

/** What a start makes of a directory, in a line: what it refuses, or what it found, cut and warned of. */
async function start(directory: string): Promise<string> {
  const warnings: Warning[] = [];
  const onWarning = (message: string, fields: Record<string, unknown>) => warnings.push({ message, fields });
  try {
    const log = await openTestLog(directory, { disk: hastyDisk, onWarning });
    await log.close();
    const { impressions, outcomes, truncatedBytes } = log.recovery;
    const warned = warnings.map(({ fields }) => `, warned of ${fields["truncatedBytes"]}`).join("");
    return `started with ${impressions + outcomes}, cut ${truncatedBytes}${warned}`;
  } catch (error) {
    const where = /log segment (\S+) .* record (\d+) at offset (\d+)/.exec((error as Error).message);
    return where === null ? String(error) : `refused ${where.slice(1).join(" ")}`;
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] as number) ^ 0x10;
  return damaged;
}

const cutOff = (bytes: number) => (bytes === 0 ? "cut 0" : `cut ${bytes}, warned of ${bytes}`);

/** Number and offset of the record in which byte `at` lies. */
function recordAt({ offsets }: MadeLog, at: number): { record: number; offset: number } {
  const record = offsets.findLastIndex((offset) => offset <= at);
  return { record, offset: offsets[record] as number };
}

test("cut off at any byte of its last two records, a log starts with what is whole and says how much it cut", async () => {
  const made = await makeLog("open");
  for (let size = made.offsets[4] as number; size < made.bytes.length; size++) {
    const { record, offset } = recordAt(made, size);
    await made.put(made.bytes.subarray(0, size));
    expect(await namesIn(made.directory)).toStrictEqual(made.names.slice(0, record));
    expect(await verifyLog(made.directory)).toMatchObject({ truncatedBytes: size - offset, corrupt: [] });
    expect(await start(made.directory)).toBe(`started with ${record}, ${cutOff(size - offset)}`);
    expect(await namesIn(made.directory)).toStrictEqual(made.names.slice(0, record));
  }
});

test("a changed byte of a live segment stops the start; in its last record, a warning says what is cut", async () => {
  const made = await makeLog("open");
  for (let at = 0; at < made.bytes.length; at++) {
    const { record, offset } = at < headerBytes ? { record: 0, offset: 0 } : recordAt(made, at);
    await made.put(flipped(made.bytes, at));
    const expected =
      record < 5
        ? `refused ${openName} ${record} ${offset}`
        : `started with 5, ${cutOff(made.bytes.length - offset)}`;
    expect(await start(made.directory), `byte ${at}`).toBe(expected);
  }
});

test("a changed byte of a sealed segment stops the start and the reader, and verify-log names it", async () => {
  const made = await makeLog("sealed");
  for (let at = 0; at < made.bytes.length; at++) {
    const { record, offset } = at < headerBytes ? { record: 0, offset: 0 } : recordAt(made, at);
    await made.put(flipped(made.bytes, at));
    expect(await start(made.directory), `byte ${at}`).toBe(`refused ${sealedName} ${record} ${offset}`);
    await expect(namesIn(made.directory)).rejects.toThrow(`record ${record} at offset ${offset}`);
    const { corrupt } = await verifyLog(made.directory);
    expect(corrupt).toMatchObject([{ segment: sealedName, offset, record }]);
  }
});

test("a sealed segment that was cut anywhere stops the start, between two records too", async () => {
  const made = await makeLog("sealed");
  for (let size = 0; size < made.bytes.length; size++) {
    const { record, offset } = size < headerBytes ? { record: 0, offset: 0 } : recordAt(made, size);
    await made.put(made.bytes.subarray(0, size));
    expect(await start(made.directory), `cut at ${size}`).toBe(`refused ${sealedName} ${record} ${offset}`);
  }
});

test("the sentence that stops a start says which segment, where, why and what to do", async () => {
  const made = await makeLog("open");
  await made.put(flipped(made.bytes, (made.offsets[2] as number) + 30));
  await expect(openTestLog(made.directory)).rejects.toThrow(
    `log segment ${openName} in ${made.directory} is damaged in its record 2 at offset ${made.offsets[2]}: ` +
      "the checksum does not match. This is no torn tail, so nothing was cut: put the file back from a copy, or",
  );
});

test("verify-log reads on behind damage: it counts what is left and lists every place", async () => {
  const made = await makeLog("sealed");
  const first = made.offsets[1] as number;
  const second = made.offsets[4] as number;
  await made.put(flipped(flipped(made.bytes, first + 20), second + 20));
  expect(await verifyLog(made.directory)).toStrictEqual({
    impressions: 2,
    outcomes: 2,
    truncatedBytes: 0,
    corrupt: [
      { segment: sealedName, offset: first, record: 1, reason: "the checksum does not match" },
      { segment: sealedName, offset: second, record: 3, reason: "the checksum does not match" },
    ],
  });
});

test("a record taken out of the middle is missed, and so is one put in twice", async () => {
  const made = await makeLog("open");
  const [start2, end2] = [made.offsets[2] as number, made.offsets[3] as number];
  await made.put(Buffer.concat([made.bytes.subarray(0, start2), made.bytes.subarray(end2)]));
  expect(await start(made.directory)).toBe(`started with 2, ${cutOff(made.bytes.length - end2)}`);
  await made.put(Buffer.concat([made.bytes.subarray(0, end2), made.bytes.subarray(start2)]));
  expect(await start(made.directory)).toBe(`started with 3, ${cutOff(made.bytes.length - start2)}`);
});

test("garbage behind the last record is a torn tail", async () => {
  const made = await makeLog("open");
  for (const garbage of [Buffer.alloc(1), Buffer.alloc(5_000), Buffer.from("x".repeat(3_000))]) {
    await made.put(Buffer.concat([made.bytes, garbage]));
    expect(await start(made.directory)).toBe(`started with 6, ${cutOff(garbage.length)}`);
  }
});

test("a hole of zeros before valid records is torn where no sync covered it, and damage where one did", async () => {
  const live = await temporaryFolder();
  const log = await openTestLog(live, { disk: testDisk() });
  const large = (id: string) => log.appendImpression(impressionOf(id, "u1", "kd", ["x".repeat(2_000)]));
  await large("r1");
  await large("r2");
  await large("r3");
  const unsynced = await killedCopy(live, join(await temporaryFolder(), "log"));
  await log.appendOutcomes([outcomeOf("o1", "r1", "t1")]);
  await large("r4");
  const synced = await killedCopy(live, join(await temporaryFolder(), "log"));
  await log.close();
  for (const directory of [unsynced, synced]) {
    const bytes = await readFile(join(directory, openName));
    await writeFile(join(directory, openName), bytes.fill(0, 3_072, 3_584));
  }
  expect(await start(synced)).toMatch(`refused ${openName} 1 `);
  expect(await start(unsynced)).toMatch(/^started with 1, cut 4\d\d\d, warned of 4\d\d\d$/);
});

test("a segment that is missing, or there twice, stops the start", async () => {
  const directory = await temporaryFolder();
  for (let i = 0; i < 3; i++) {
    const log = await openTestLog(directory, { disk: hastyDisk });
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd"));
    await log.close();
  }
  const bytes = await readFile(join(directory, "0000000002.seg"));
  await writeFile(join(directory, "0000000002.open"), bytes);
  await expect(openTestLog(directory)).rejects.toThrow("the segment is there twice, open and sealed");
  await rm(join(directory, "0000000002.open"));
  await rm(join(directory, "0000000002.seg"));
  await expect(openTestLog(directory)).rejects.toThrow("the segments between 1 and 3 are missing");
  await rename(join(directory, "0000000001.seg"), join(directory, "0000000002.seg"));
  await expect(openTestLog(directory)).rejects.toThrow("the header says segment 1: was the file renamed?");
  await rm(join(directory, "0000000002.seg"));
  expect(await start(directory)).toBe("started with 1, cut 0");
});

test("a server killed between the seal and its new name loses nothing", async () => {
  const made = await makeLog("sealed");
  await rename(join(made.directory, sealedName), join(made.directory, openName));
  expect(await start(made.directory)).toBe("started with 6, cut 0");
  expect(await segmentsIn(made.directory)).toStrictEqual([sealedName]);
});

test("a server killed while it made a segment leaves a file that the next start removes", async () => {
  const made = await makeLog("sealed");
  for (const size of [0, 1, 31]) {
    await writeFile(join(made.directory, "0000000002.open"), made.bytes.subarray(0, size));
    expect(await start(made.directory)).toBe(`started with 6, ${cutOff(size)}`);
    expect(await segmentsIn(made.directory)).toStrictEqual([sealedName]);
  }
});

test("a segment of a later schema version is left alone", async () => {
  const made = await makeLog("sealed");
  const header = encodeSegmentHeader({ number: 1, salt: 1, madeAt: 0 }, 7);
  await made.put(Buffer.concat([header, made.bytes.subarray(headerBytes)]));
  await expect(openTestLog(made.directory)).rejects.toThrow("schema version 7, and this Setlist reads 1");
});

test("a record under a right checksum whose id never ends stops the start, and does not hold it up", async () => {
  const made = await makeLog("open");
  const last = made.offsets.at(-2) as number;
  const header = made.bytes.subarray(0, headerBytes);
  for (const id of [[0x80], [0x80, 0x80, 0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]]) {
    const frame = Buffer.alloc(17 + id.length);
    frame.writeUInt32LE(1 + id.length, 8);
    Buffer.from([2, ...id]).copy(frame, 16);
    stampFrames(frame, header.readUInt32LE(16), last, 0);
    await made.put(Buffer.concat([made.bytes.subarray(0, last), frame]));
    await expect(openTestLog(made.directory)).rejects.toThrow(
      "it cannot be decoded: the payload ends too early",
    );
  }
});
