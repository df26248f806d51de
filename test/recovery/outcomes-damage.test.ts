import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { hastyDisk, killedCopy, namesIn, openTestLog, type Warning } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const headerBytes = 32;
const open1 = "0000000001.open";
const sealed1 = "0000000001.seg";

interface MadeLog {
  readonly directory: string;
  /** Of the first segment. */
  readonly bytes: Buffer;
  readonly name: string;
  readonly names: readonly string[];
  /** Where each record starts, and where the last one ends. */
  readonly offsets: readonly number[];
}

/** One segment with three impressions and three outcomes, written one by one; open as after a kill, or sealed. */
async function makeLog(kind: "open" | "sealed"): Promise<MadeLog> {
  const live = await temporaryFolder();
  const log = await openTestLog(live, { disk: hastyDisk });
  const offsets = [headerBytes];
  const names: string[] = [];
  for (let i = 0; i < 3; i++) {
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", ["t1"]));
    offsets.push((await readFile(join(live, open1))).length);
    await log.appendOutcomes([outcomeOf(`o${i}`, `r${i}`, "t1")]);
    offsets.push((await readFile(join(live, open1))).length);
    names.push(`r${i}`, `o${i}`);
  }
  const killed = await killedCopy(live, join(await temporaryFolder(), "log"));
  await log.close();
  const directory = kind === "open" ? killed : live;
  const name = kind === "open" ? open1 : sealed1;
  return { directory, bytes: await readFile(join(directory, name)), name, names, offsets };
}

/** What a start makes of the directory: what it recovered and warned of, or why it refused. */
async function start(directory: string) {
  const warnings: Warning[] = [];
  const onWarning = (message: string, fields: Record<string, unknown>) => warnings.push({ message, fields });
  try {
    const log = await openTestLog(directory, { disk: hastyDisk, onWarning });
    await log.close();
    return { recovery: log.recovery, warnings, refusal: "" };
  } catch (error) {
    return { recovery: undefined, warnings, refusal: (error as Error).message };
  }
}

function flipped(bytes: Buffer, at: number, bit = 0x10): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at] = (damaged[at] as number) ^ bit;
  return damaged;
}

const recordAt = ({ offsets }: MadeLog, at: number) => offsets.findLastIndex((offset) => offset <= at);

test("cut off at any byte of its last two records, the log starts with what is whole and says what it cut", async () => {
  const made = await makeLog("open");
  const last = made.offsets.length - 1;
  for (let size = made.offsets[last - 2] as number; size < made.bytes.length; size++) {
    const whole = recordAt(made, size);
    const torn = size - (made.offsets[whole] as number);
    await rm(made.directory, { recursive: true });
    await mkdir(made.directory);
    await writeFile(join(made.directory, open1), made.bytes.subarray(0, size));
    expect(await namesIn(made.directory)).toStrictEqual(made.names.slice(0, whole));
    expect(await verifyLog(made.directory)).toMatchObject({ truncatedBytes: torn, corrupt: [] });
    const { recovery, warnings } = await start(made.directory);
    expect(recovery).toMatchObject({ truncatedBytes: torn, segments: 1 });
    expect((recovery?.impressions ?? 0) + (recovery?.outcomes ?? 0)).toBe(whole);
    expect(warnings.map(({ fields }) => fields["truncatedBytes"])).toStrictEqual(torn === 0 ? [] : [torn]);
    expect(await namesIn(made.directory)).toStrictEqual(made.names.slice(0, whole));
  }
});

test("a changed byte before the last record of a live segment stops the start and is named", async () => {
  const made = await makeLog("open");
  const lastOffset = made.offsets[made.names.length - 1] as number;
  for (let at = headerBytes; at < lastOffset; at++) {
    await writeFile(join(made.directory, open1), flipped(made.bytes, at));
    const record = recordAt(made, at);
    const { refusal } = await start(made.directory);
    expect(refusal).toContain(`segment ${open1}`);
    expect(refusal).toContain(`record ${record} at offset ${made.offsets[record]}`);
  }
});

test("a changed byte in the last record of a live segment looks like a torn tail: it is cut, and said so", async () => {
  const made = await makeLog("open");
  const lastOffset = made.offsets[made.names.length - 1] as number;
  for (let at = lastOffset; at < made.bytes.length; at++) {
    await rm(made.directory, { recursive: true });
    await mkdir(made.directory);
    await writeFile(join(made.directory, open1), flipped(made.bytes, at));
    const { recovery, warnings } = await start(made.directory);
    expect(recovery).toMatchObject({ impressions: 3, outcomes: 2 });
    expect(recovery?.truncatedBytes).toBe(made.bytes.length - lastOffset);
    expect(warnings).toHaveLength(1);
  }
});

test("a changed byte anywhere in a sealed segment is found by the start and by verify-log", async () => {
  const made = await makeLog("sealed");
  for (let at = 0; at < made.bytes.length; at++) {
    await writeFile(join(made.directory, sealed1), flipped(made.bytes, at));
    expect((await verifyLog(made.directory)).corrupt[0]).toMatchObject({ segment: sealed1 });
    expect((await start(made.directory)).refusal).toContain(sealed1);
  }
});
