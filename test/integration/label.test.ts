import { spawn } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { labelDataDirectory } from "../../src/app/label-data.ts";
import { openFeatureStore } from "../../src/features/features.ts";
import { impressionOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { repositoryWith } from "../support/tiny-models.ts";
import { writeWorld } from "../support/tiny-world.ts";

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A data directory whose features were imported, and `linear` as a teacher: click = 0.5 popularity + 0.25 taste. */
async function house(impressions: number, segmentBytesMax = 1024 * 1024) {
  const dataDir = await temporaryFolder();
  const items = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, { popularity: i / 10 }]));
  const world = await writeWorld(join(await temporaryFolder(), "world"), {
    users: { u1: { taste: [0.4, 0] } },
    items,
  });
  await mkdir(join(dataDir, "features"), { recursive: true });
  await (await openFeatureStore({ directory: join(dataDir, "features"), world, cacheRowsMax: 100 })).close();
  const { repository } = await repositoryWith("linear", (manifest) => {
    manifest["role"] = "teacher";
  });
  const log = await openTestLog(join(dataDir, "log"), { segmentBytesMax });
  for (let i = 0; i < impressions; i++)
    await log.appendImpression(impressionOf(`r${i}`, "u1", "kd", ["t1", "t5"]));
  await log.close();
  const options = {
    dataDir,
    models: repository,
    world,
    cacheRowsMax: 100,
    signal: new AbortController().signal,
    onWarning: () => undefined,
  };
  const labels = `read_parquet('${dataDir}/labels/teacher=linear/version=1/date=*/*.parquet', hive_partitioning = false)`;
  return { dataDir, world, repository, options, labels };
}

test("labels are what the teacher answers, each candidate's once, and a second run labels nothing", async () => {
  const { dataDir, options, labels } = await house(3);
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 3,
    labelled: 6,
    alreadyLabelled: 0,
    coverage: 1,
  });
  const rows = await rowsOf(`SELECT request, item, click FROM ${labels} ORDER BY request, item`);
  expect(rows.map(({ request, item }) => `${request} ${item}`)).toStrictEqual([
    "r0 t1",
    "r0 t5",
    "r1 t1",
    "r1 t5",
    "r2 t1",
    "r2 t5",
  ]);
  expect(rows[0]?.["click"]).toBeCloseTo(0.5 * 0.1 + 0.25 * 0.4, 6);
  expect(rows[1]?.["click"]).toBeCloseTo(0.5 * 0.5 + 0.25 * 0.4, 6);
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 3,
    labelled: 0,
    alreadyLabelled: 6,
  });

  // A request id that comes again brings one new item and one that has its label.
  const log = await openTestLog(join(dataDir, "log"));
  for (let twice = 0; twice < 2; twice++)
    await log.appendImpression(impressionOf("r1", "u1", "kd", ["t5", "t7"]));
  await log.close();
  expect(await labelDataDirectory(options)).toMatchObject({
    impressions: 5,
    labelled: 1,
    alreadyLabelled: 9,
  });
  expect(
    await rowsOf(
      `SELECT count(*)::INTEGER AS n, count(DISTINCT (request, item))::INTEGER AS keys FROM ${labels}`,
    ),
  ).toStrictEqual([{ n: 7, keys: 7 }]);
});

test("killed at any moment, labelling and compacting leave every record exactly once", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const impressions = 3_000;
  const { dataDir, world, repository, labels } = await house(impressions, 2 * 1024);
  let state = seed;
  const main = join(import.meta.dirname, "../../src/main.ts");
  const commands = {
    label: ["label", "--data-dir", dataDir, "--models", repository, "--world", world],
    compact: ["compact", "--data-dir", dataDir],
  };
  const done = {
    label: join(dataDir, "labels/teacher=linear/version=1/done"),
    compact: join(dataDir, "warehouse/done"),
  };
  const markers = async (what: "label" | "compact"): Promise<number> =>
    (await readdir(done[what]).catch(() => [])).length;
  /** Kills so long after the run has written its first marker: at whatever it does to the next segments. */
  const run = async (what: "label" | "compact", killAfterMs?: number): Promise<number | null> => {
    const child = spawn(process.execPath, [main, ...commands[what]], { stdio: "ignore" });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (killAfterMs === undefined) return ended;
    const before = await markers(what);
    while (child.exitCode === null && (await markers(what)) === before) await sleep(2);
    await sleep(killAfterMs);
    child.kill("SIGKILL");
    return ended;
  };
  const interrupted = { label: 0, compact: 0 };
  for (let round = 0; round < 44; round++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const what = round % 2 === 0 ? "label" : "compact";
    if ((await run(what, (state / 2 ** 32) * 100)) === null) interrupted[what] += 1;
  }
  expect(Math.min(interrupted.label, interrupted.compact), `seed ${seed}`).toBeGreaterThanOrEqual(20);
  expect(await run("label"), `seed ${seed}`).toBe(0);
  expect(await run("compact"), `seed ${seed}`).toBe(0);
  const counts = (table: string, key: string): string =>
    `SELECT count(*)::INTEGER AS n, count(DISTINCT ${key})::INTEGER AS keys FROM ${table}`;
  expect(await rowsOf(counts(labels, "(request, item)")), `seed ${seed}`).toStrictEqual([
    { n: 2 * impressions, keys: 2 * impressions },
  ]);
  const compacted = `read_parquet('${dataDir}/warehouse/impressions/date=*/*.parquet', hive_partitioning = false)`;
  expect(await rowsOf(counts(compacted, "request")), `seed ${seed}`).toStrictEqual([
    { n: impressions, keys: impressions },
  ]);
}, 180_000);
