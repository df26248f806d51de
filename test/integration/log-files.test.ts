import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { columnOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function appendOf(dataDir: string, id: string): Promise<() => Promise<void>> {
  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression(impressionOf(`r${id}`, "u1", "kd"));
  await log.appendOutcomes([outcomeOf(`o${id}`, `r${id}`, "t1")]);
  return () => log.close();
}

test("what is compacted, what is only sealed and what is being written are read together, each record once", async () => {
  const dataDir = await temporaryFolder();
  await (await appendOf(dataDir, "1"))();
  await compactDataDirectory({ dataDir });
  await (await appendOf(dataDir, "2"))();
  const close = await appendOf(dataDir, "3");
  const before = await readdir(dataDir, { recursive: true });
  const read = await withDataLogFiles(dataDir, async (files) => ({
    requests: await columnOf("request", files.impressions),
    outcomes: await columnOf("outcome", files.outcomes),
    others: [...files.shadows, ...files.counterfactuals],
    folders: files.impressions.map((file) => file.split("/").slice(-3).join("/")),
  }));
  expect(read).toEqual({
    requests: ["r1", "r2", "r3"],
    outcomes: ["o1", "o2", "o3"],
    others: [],
    folders: ["1", "2", "3"].map((name) => `impressions/date=2026-11-22/000000000${name}.parquet`),
  });
  expect(await readdir(dataDir, { recursive: true })).toEqual(before);
  await close();
});

test("a data directory without a log has no files, and none is made", async () => {
  const dataDir = await temporaryFolder();
  const files = await withDataLogFiles(dataDir, async (it) => it);
  expect(files).toEqual({
    impressions: [],
    outcomes: [],
    shadows: [],
    counterfactuals: [],
    missingBefore: undefined,
  });
  expect(await readdir(dataDir)).toEqual([]);
});
