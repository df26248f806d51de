import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
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
    printed: "1 impressions and 2 outcomes are whole.\n",
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
      "1 impressions and 2 outcomes are whole.\n" +
      "The last 5 bytes are no whole record: a write that was cut short. The next start cuts them.\n",
  });
  const { code, printed } = await verify("--data-dir", await temporaryFolder(), "--json");
  expect(JSON.parse(printed)).toMatchObject({ impressions: 0, outcomes: 0, corrupt: [] });
  expect(code).toBe(0);
});
