import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { loadConfig } from "../../src/config.ts";
import { counterfactualOf, impressionOf, outcomeOf, shadowOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { rowsOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const killer = pathToFileURL(join(import.meta.dirname, "../support/killed-at-step.ts")).href;
const day = 86_400_000;

/** Runs `setlist compact`, killed right behind its step of that number. Answers whether it came that far. */
async function killedAt(step: number, dataDir: string, retention: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(process.execPath, ["--import", killer, main, "compact", "--data-dir", dataDir], {
    stdio: "ignore",
    env: { ...process.env, ...retention, KILLED_AT_STEP: String(step) },
  });
  const [code, signal] = await once(child, "exit");
  if (signal === "SIGKILL") return true;
  expect(code).toBe(0);
  return false;
}

/** Two segments; of the second, which is the one that is done while it is being killed, impressions of two days. */
async function twoSegments(): Promise<string> {
  const dataDir = await temporaryFolder();
  for (const n of [1, 2]) {
    const log = await openTestLog(join(dataDir, "log"));
    const { at } = impressionOf(`r${n}`, "u1", "kd");
    await log.appendImpression(impressionOf(`r${n}`, "u1", "kd"));
    await log.appendImpression({ ...impressionOf(`s${n}`, "u1", "kd"), at: at + day });
    await log.appendShadow(shadowOf(`r${n}`));
    await log.appendShadow(counterfactualOf(`r${n}`));
    await log.appendOutcomes([outcomeOf(`o${n}`, `r${n}`, "t1")]);
    await log.close();
    if (n === 1) await compactDataDirectory({ dataDir });
  }
  return dataDir;
}

async function recordsIn(dataDir: string): Promise<string[]> {
  return withDataLogFiles(dataDir, async ({ impressions, outcomes, shadows, counterfactuals }) => {
    const selects = Object.entries({ impressions, outcomes, shadows, counterfactuals }).flatMap(
      ([kind, files]) => {
        const list = files.map((file) => `'${file}'`).join(", ");
        const column = kind === "outcomes" ? "outcome" : "request";
        return files.length === 0
          ? []
          : [`SELECT '${kind} ' || ${column} AS it FROM read_parquet([${list}], hive_partitioning = false)`];
      },
    );
    if (selects.length === 0) return [];
    return (await rowsOf(selects.join(" UNION ALL "))).map(({ it }) => String(it)).sort();
  });
}

/** Kills at every step in turn, each time from the same beginning. */
async function killedEverywhere(
  begin: string,
  retention: NodeJS.ProcessEnv,
  check: (dataDir: string, step: number) => Promise<void>,
): Promise<number> {
  for (let step = 1; ; step++) {
    const dataDir = join(await temporaryFolder(), "data");
    await cp(begin, dataDir, { recursive: true });
    const isKilled = await killedAt(step, dataDir, retention);
    await check(dataDir, step);
    if (!isKilled) return step - 1;
  }
}

test("killed behind each of its steps, a compaction leaves every record to be read exactly once, and the next run ends it", async () => {
  const begin = await twoSegments();
  const records = await recordsIn(begin);
  expect(records).toHaveLength(10);
  const steps = await killedEverywhere(begin, {}, async (dataDir, step) => {
    expect(await recordsIn(dataDir), `step ${step}`).toEqual(records);
    await compactDataDirectory({ dataDir });
    expect(await recordsIn(dataDir), `step ${step}, and another run`).toEqual(records);
    expect((await readdir(join(dataDir, "warehouse/done"))).sort()).toEqual([
      "0000000001.json",
      "0000000002.json",
    ]);
  });
  console.log(`killed behind each of ${steps} steps of a compaction`);
  // Five files and a marker are moved, and the marker is written before that.
  expect(steps).toBeGreaterThanOrEqual(7);
});

test("killed behind each of its steps, retention leaves a log that starts, and readers neither more nor less than it kept", async () => {
  const begin = await twoSegments();
  await compactDataDirectory({ dataDir: begin });
  const records = await recordsIn(begin);
  // The newest segment stays; of the Parquet everything is older than a second.
  const retention = { SETLIST_LOG_RETENTION_BYTES_MAX: "1", SETLIST_WAREHOUSE_RETENTION_AGE: "1s" };
  const leftBehind: number[] = [];
  const steps = await killedEverywhere(begin, retention, async (dataDir, step) => {
    const left = await recordsIn(dataDir);
    leftBehind.push(left.length);
    // Whole segments go, the first before the second.
    expect([records, records.filter((name) => name.endsWith("2")), []], `step ${step}`).toContainEqual(left);
    const log = await openTestLog(join(dataDir, "log"));
    await log.close();
    expect(await readdir(join(dataDir, "log"))).toContain("0000000002.seg");
    const { log: rules, warehouse, shipping } = loadConfig({ flags: {}, env: retention, cwd: dataDir });
    await compactDataDirectory({ dataDir, retention: { log: rules, warehouse, shipping } });
    const files = await readdir(join(dataDir, "warehouse"), { recursive: true });
    expect(
      files.filter((name) => name.endsWith(".parquet")),
      `step ${step}, and another run`,
    ).toEqual([]);
  });
  console.log(`killed behind each of ${steps} steps of retention`);
  expect(new Set(leftBehind)).toEqual(new Set([10, 5, 0]));
});
