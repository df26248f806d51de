import { execFile, execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { salvageDataDirectory } from "../../src/app/data/salvage-data.ts";
import { verifyDataDirectory } from "../../src/app/data/verify-data.ts";
import { readPatiently } from "../../src/outcomes/patient-read.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const command = fileURLToPath(new URL("../../src/cli/verify-log.ts", import.meta.url));

/** The command on its own: what it prints and its exit code. */
function verify(...args: string[]): Promise<{ code: number; printed: string }> {
  const run = `const { verifyLogCommand } = await import(${JSON.stringify(command)});
    await verifyLogCommand().parseAsync(${JSON.stringify(args)}, { from: "user" });`;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["--input-type=module", "--eval", run], (_, printed) => {
      resolve({ code: child.exitCode ?? -1, printed });
    });
  });
}

async function dataDirectory(): Promise<{ dataDir: string; segment: string }> {
  const dataDir = await temporaryFolder();
  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression(impressionOf("r1", "u1", "kd"));
  await log.appendOutcomes([outcomeOf("o1", "r1", "t1"), outcomeOf("o2", "r1", "t2")]);
  await log.close();
  return { dataDir, segment: join(dataDir, "log", "0000000001.seg") };
}

test("a whole log: the counts, and exit code 0", async () => {
  const { dataDir } = await dataDirectory();
  const { code, printed } = await verify("--data-dir", dataDir, "--json");
  expect(JSON.parse(printed)).toStrictEqual({ impressions: 1, outcomes: 2, truncatedBytes: 0, corrupt: [] });
  expect(code).toBe(0);
  expect(await verify("--data-dir", dataDir)).toStrictEqual({
    code: 0,
    printed: "1 impression and 2 outcomes are whole.\n",
  });
});

test("a damaged log: where, and exit code 1", async () => {
  const { dataDir, segment } = await dataDirectory();
  const bytes = await readFile(segment);
  await writeFile(segment, bytes.fill(0xaa, 60, 61));
  const { code, printed } = await verify("--data-dir", dataDir, "--json");
  expect(JSON.parse(printed)).toMatchObject({
    impressions: 0,
    outcomes: 2,
    corrupt: [{ segment: "0000000001.seg", offset: 32, record: 0, reason: "the checksum does not match" }],
  });
  expect(code).toBe(1);
  const human = await verify("--data-dir", dataDir);
  expect(human.printed).toContain(
    "Damaged: segment 0000000001.seg, record 0 at offset 32: the checksum does not match.",
  );
  expect(human.code).toBe(1);
});

test("a torn tail is no damage, a data directory without a log is empty", async () => {
  const { dataDir } = await dataDirectory();
  await writeFile(join(dataDir, "log", "0000000002.open"), "SETLO");
  expect(await verify("--data-dir", dataDir)).toStrictEqual({
    code: 0,
    printed:
      "1 impression and 2 outcomes are whole.\n" +
      "The last 5 bytes are no whole record: a write that was cut short. The next start cuts them.\n",
  });
  const empty = await temporaryFolder();
  const { code, printed } = await verify("--data-dir", empty, "--json");
  expect(JSON.parse(printed)).toMatchObject({ impressions: 0, outcomes: 0, corrupt: [] });
  expect(code).toBe(0);
  const { printed: human } = await verify("--data-dir", empty);
  expect(human).toContain(
    `There is no log in ${empty}: no server has written one there yet, or it is the wrong folder`,
  );
});

test("--salvage writes a log that a server takes, says what is lost, and exits with 1 where something is", async () => {
  const { dataDir, segment } = await dataDirectory();
  const whole = join(await temporaryFolder(), "whole");
  expect(await verify("--data-dir", dataDir, "--salvage", whole)).toStrictEqual({
    code: 0,
    printed: `${whole}/log holds 1 impression, 2 outcomes and 0 comparisons in 1 segment.\nLost: 0 records.\n`,
  });
  const bytes = await readFile(segment);
  const lost = bytes.indexOf("o2");
  bytes[lost] = 0;
  await writeFile(segment, bytes);
  const into = join(await temporaryFolder(), "salvaged");
  const { code, printed } = await verify("--data-dir", dataDir, "--salvage", into, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(printed)).toMatchObject({
    ...{ impressions: 1, outcomes: 1, shadows: 0, segments: 1, truncatedBytes: 0, lostRecords: 1 },
    losses: [{ segment: "0000000001.seg", records: 1, places: [{ reason: "the checksum does not match" }] }],
  });
  expect(await verify("--data-dir", into)).toMatchObject({ code: 0 });
  const text = await verify("--data-dir", dataDir, "--salvage", `${into}-again`);
  expect(text.printed).toContain("Segment 0000000001.seg: 1 record, ");
  expect(text.printed).toContain("Lost: 1 record.");
});

test("a pipe that has a segment's name is waited for by nobody: it is named, and salvage goes on without it", async () => {
  const { dataDir, segment } = await dataDirectory();
  await rm(segment);
  execFileSync("mkfifo", [segment]);
  expect(await verifyDataDirectory(dataDir)).toMatchObject({
    corrupt: [{ segment: "0000000001.seg", reason: "it is no file" }],
  });
  const into = join(await temporaryFolder(), "salvaged");
  expect(await salvageDataDirectory({ dataDir, into })).toMatchObject({
    losses: [{ segment: "0000000001.seg", records: null, places: [{ reason: "it is no file" }] }],
  });
});

test.each([
  ["that leads to itself", "0000000001.seg", "ELOOP"],
  ["that leads nowhere, whose records are not here but somewhere", "gone/0000000001.seg", "ENOENT"],
])("a link %s is named by verify-log, compact and a start, and left out by none", async (_, target, code) => {
  const { dataDir, segment } = await dataDirectory();
  await rm(segment);
  await symlink(target, segment);
  const named = { code: "UNAVAILABLE", message: expect.stringMatching(`${segment}.*${code}`) };
  await expect(verifyDataDirectory(dataDir)).rejects.toMatchObject(named);
  await expect(compactDataDirectory({ dataDir })).rejects.toMatchObject(named);
  await expect(openTestLog(join(dataDir, "log"))).rejects.toThrow(segment);
});

test("--salvage writes nothing into a folder that holds something, and nothing into the log", async () => {
  const { dataDir } = await dataDirectory();
  const into = await temporaryFolder();
  await writeFile(join(into, "mine"), "");
  await expect(salvageDataDirectory({ dataDir, into })).rejects.toThrow("expected a new or empty folder");
  expect(await readdir(into)).toStrictEqual(["mine"]);
  const inside = join(dataDir, "log", "salvaged");
  await expect(salvageDataDirectory({ dataDir, into: inside })).rejects.toThrow("lies in the log");
  const link = join(await temporaryFolder(), "link");
  await symlink(join(dataDir, "log"), link);
  for (const linked of [link, join(link, "new/er")])
    await expect(salvageDataDirectory({ dataDir, into: linked })).rejects.toThrow("lies in the log");
});

test("--salvage goes anew where an attempt before it was killed half-way", async () => {
  const { dataDir } = await dataDirectory();
  const into = await temporaryFolder();
  await mkdir(join(into, "log.salvaging"));
  await writeFile(join(into, "log.salvaging", "0000000001.seg"), "half of a segment");
  const { impressions, outcomes } = await verifyDataDirectory(dataDir);
  expect(await salvageDataDirectory({ dataDir, into })).toMatchObject({
    impressions,
    outcomes,
    lostBytes: 0,
  });
  expect(await readdir(into)).toStrictEqual(["log"]);
});

test("a folder that nobody can make is named, not tried for ever", async () => {
  const { dataDir } = await dataDirectory();
  const into = "/proc/nobody/can/make";
  await expect(salvageDataDirectory({ dataDir, into })).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringContaining("/proc/nobody"),
  });
});

test("what the disk cannot read is left out in blocks, and the rest is read", async () => {
  const file = Buffer.alloc(1024 * 1024 + 10_000, 7);
  const bad = 4_096 * 30 + 5;
  const read = async (to: Buffer, position: number): Promise<number> => {
    const end = Math.min(position + to.length, file.length);
    if (position <= bad && bad < end) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    return file.copy(to, 0, position, end);
  };
  const { bytes, unreadableBytes } = await readPatiently(read, file.length);
  const expected = Buffer.from(file).fill(0, 4_096 * 30, 4_096 * 31);
  expect(bytes.equals(expected)).toBe(true);
  expect(unreadableBytes).toBe(4_096);
  const denied = async () => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" }));
  await expect(readPatiently(denied, 10)).rejects.toThrow("no");
});
