/** Compaction beside a running log and server, in real processes of its own. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { BackgroundCompaction } from "../../src/app/beside/background-compaction.ts";
import { withDataLogFiles } from "../../src/app/data/log-files.ts";
import { startServerProcess } from "../../src/app/server-process.ts";
import { defaults } from "../../src/config/defaults.ts";
import { eventually } from "../support/eventually.ts";
import { impressionOf, outcomeOf } from "../support/log-records.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { columnOf } from "../support/parquet.ts";
import { startApp } from "../support/running-app.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

test("a server that compacts does not load DuckDB itself", () => {
  const app = pathToFileURL(join(import.meta.dirname, "../../src/app.ts")).href;
  const script = `await import("${app}"); console.log(process.report.getReport().sharedObjects.join("\\n"))`;
  const loaded = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    encoding: "utf8",
  });
  expect(loaded).toContain("libc");
  expect(loaded).not.toContain("duckdb");
});

async function sealedSegment(dataDir: string, name: string): Promise<void> {
  const log = await openTestLog(join(dataDir, "log"));
  await log.appendImpression(impressionOf(`r${name}`, "u1", "kd"));
  await log.appendOutcomes([outcomeOf(`o${name}`, `r${name}`, "t1")]);
  await log.close();
}

function compacting(dataDir: string): { compaction: BackgroundCompaction; warnings: string[] } {
  const warnings: string[] = [];
  const compaction = new BackgroundCompaction({
    dataDir,
    log: { dedupeWindowMs: 0 },
    warehouse: { compact: true, intervalMs: 50 },
    shipping: { brokers: [] },
    clock,
    logger: {
      info: () => undefined,
      warn: (fields: unknown) => void warnings.push(JSON.stringify(fields)),
    } as never,
  });
  onTestFinished(() => compaction.close());
  compaction.begin();
  return { compaction, warnings };
}

test("what is sealed becomes Parquet by itself; a failure is told and counted, and tried again until it goes well", async () => {
  const dataDir = await temporaryFolder();
  await sealedSegment(dataDir, "1");
  await mkdir(join(dataDir, "warehouse"));
  // A file where a table's folder has to be.
  await writeFile(join(dataDir, "warehouse/impressions"), "");
  const { compaction, warnings } = compacting(dataDir);
  await eventually(() => expect(compaction.failures).toBeGreaterThanOrEqual(2));
  expect(compaction).toMatchObject({ waiting: 1, lastSuccessAt: undefined });
  expect(warnings[0]).toContain("warehouse/impressions");
  await rm(join(dataDir, "warehouse/impressions"));
  await eventually(() => expect(compaction.lastSuccessAt).toBeGreaterThan(0));
  expect(compaction.waiting).toBe(0);
  expect(await readdir(join(dataDir, "warehouse/done"))).toEqual(["0000000001.json"]);
  await sealedSegment(dataDir, "2");
  await eventually(async () =>
    expect(await readdir(join(dataDir, "warehouse/done"))).toEqual(["0000000001.json", "0000000002.json"]),
  );
  await compaction.close();
  const requests = await withDataLogFiles(dataDir, ({ impressions }) => columnOf("request", impressions));
  expect(requests).toEqual(["r1", "r2"]);
});

test("a server compacts its own log, says so in its metrics, and stops in the middle of it", async () => {
  const dataDir = await temporaryFolder();
  const app = await startApp(dataDir, {
    log: { ...defaults.log, segmentBytesMax: 4_096 },
    warehouse: { compact: true, intervalMs: 100, retentionAgeMs: 365 * 86_400_000 },
  });
  const sent: string[] = [];
  for (let batch = 0; batch < 20; batch++) {
    const outcomes = Array.from({ length: 20 }, (_, n) => ({
      outcomeId: `o-${batch}-${n}`,
      requestId: `r-${batch}`,
      itemId: "t1",
      type: "click",
      value: 1,
    }));
    const { status } = await app.post("/v1/outcomes", { outcomes });
    expect(status).toBe(200);
    sent.push(...outcomes.map(({ outcomeId }) => outcomeId));
  }
  const metric = async (name: string): Promise<number> => {
    const { body } = await app.get("/metrics");
    return Number(new RegExp(`^${name} (.*)$`, "m").exec(String(body))?.[1]);
  };
  await eventually(async () => {
    expect(await metric("setlist_compaction_last_success_timestamp_seconds")).toBeGreaterThan(1e9);
    expect((await readdir(join(dataDir, "warehouse/done"))).length).toBeGreaterThan(1);
    expect(await metric("setlist_compaction_segments_waiting")).toBe(0);
  });
  expect(await metric("setlist_compaction_failures_total")).toBe(0);
  const done = await readdir(join(dataDir, "warehouse/done"));
  expect(await metric("setlist_compaction_segments_total")).toBe(done.length);
  const stopping = performance.now();
  await app.stop();
  expect(performance.now() - stopping).toBeLessThan(5_000);
  const outcomes = await withDataLogFiles(dataDir, (files) => columnOf("outcome", files.outcomes));
  expect(outcomes.sort()).toEqual(sent.sort());
});

test("of several processes that answer over one log, one compacts it", async () => {
  const dataDir = await temporaryFolder();
  const config = join(await temporaryFolder(), "setlist.yaml");
  await writeFile(config, "log: { segmentBytesMax: 4096 }\nwarehouse: { interval: 1s }\n");
  const server = await startServerProcess({ dataDir, flags: ["--config", config, "--processes", "2"] });
  onTestFinished(() => server.kill());
  const url = `http://127.0.0.1:${server.httpPort}`;
  for (let batch = 0; batch < 10; batch++) {
    const outcomes = Array.from({ length: 50 }, (_, n) => ({
      outcomeId: `o-${batch}-${n}`,
      requestId: `r-${batch}`,
      itemId: "t1",
      type: "click",
      value: 1,
    }));
    const answer = await fetch(`${url}/v1/outcomes`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ outcomes }),
    });
    expect(answer.status).toBe(200);
  }
  await eventually(async () => expect(await readdir(join(dataDir, "warehouse/done"))).not.toEqual([]));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics.match(/^setlist_compaction_failures_total .*$/gm)).toEqual([
    "setlist_compaction_failures_total 0",
  ]);
  expect(await server.stop()).toBe(0);
  const outcomes = await withDataLogFiles(dataDir, (files) => columnOf("outcome", files.outcomes));
  expect(new Set(outcomes).size).toBe(500);
  expect(outcomes).toHaveLength(500);
});
