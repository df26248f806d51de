import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { defaults } from "../../src/config/defaults.ts";
import { verifyLog } from "../../src/outcomes/outcomes.ts";
import { eventually } from "../support/eventually.ts";
import { LoggingClients } from "../support/logging-clients.ts";
import { namesIn } from "../support/outcomes-log.ts";
import { type ProcessGroup, startGroup } from "../support/process-group.ts";
import { type RunningApp, startApp } from "../support/running-app.ts";
import { describeWithDisk } from "../support/small-disk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** The book against the log: what was answered and acknowledged is there once, and nothing that was never sent. */
async function expectBookKept(clients: LoggingClients, log: string, dropped = 0): Promise<void> {
  const names = await namesIn(log);
  const there = new Set(names);
  expect(names.length - there.size, "records that are there twice").toBe(0);
  const lost = [...clients.answered].filter((id) => !there.has(id));
  expect(lost.length, "answered and not there").toBe(dropped);
  expect(
    [...clients.acknowledged].filter((id) => !there.has(id)),
    "acknowledged and lost",
  ).toEqual([]);
  expect(
    names.filter((id) => !clients.answered.has(id) && !clients.sent.has(id)),
    "never sent",
  ).toEqual([]);
  expect((await verifyLog(log)).corrupt).toEqual([]);
}

async function readinessOf(app: Pick<RunningApp, "get">): Promise<{ status: string; detail?: string }> {
  const { status, body } = await app.get("/readyz");
  expect(status).toBe(200);
  return body as { status: string; detail?: string };
}

async function sample(app: Pick<RunningApp, "get">, name: string): Promise<number> {
  const { body } = await app.get("/metrics");
  const line = String(body)
    .split("\n")
    .find((one) => one.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1));
}

const becomes = (app: Pick<RunningApp, "get">, status: string): Promise<void> =>
  eventually(async () => expect((await readinessOf(app)).status).toBe(status));

/** Fills the file system to its last byte; what it answers makes room again. */
async function fill(path: string): Promise<() => Promise<void>> {
  const filler = join(path, "filler");
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) await writeFile(filler, block, { flag: "a" });
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  }
  return () => rm(filler);
}

/** A server of one process whose log alone is on the small disk: the rest of its data is not what is tested here. */
async function startOn(disk: string, log: Partial<RunningApp["config"]["log"]> = {}) {
  const dataDir = await temporaryFolder();
  await mkdir(join(disk, "log"));
  await promisify(execFile)("ln", ["-s", join(disk, "log"), join(dataDir, "log")]);
  const memory = { dedupeMemoryBytesMax: 64 * 1024 * 1024, impressionBufferBytesMax: 64 * 1024 * 1024 };
  const app = await startApp(dataDir, {
    log: { ...defaults.log, segmentBytesMax: 256 * 1024, ...memory, ...log },
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    stopped = true;
    await app.stop();
  };
  onTestFinished(async () => {
    if (!stopped) await app.stop().catch(() => undefined);
  });
  return { app, stop, log: join(dataDir, "log") };
}

await describeWithDisk("tmpfs", "a disk that is full", (make) => {
  test("outcomes are refused, ranking goes on at once, and all is well again once there is room", async () => {
    const disk = await make(16);
    const { app, stop, log } = await startOn(disk.path);
    const clients = new LoggingClients(app.post, 4);
    await clients.more(100);
    for (let turn = 0; turn < 3; turn++) {
      const makeRoom = await fill(disk.path);
      await becomes(app, "degraded");
      await clients.more(30);
      const { detail } = await readinessOf(app);
      expect(detail).toMatch(/since .*: ENOSPC: .*; outcomes are refused, \d+ impressions wait in memory$/);
      expect(await sample(app, "setlist_log_refused")).toBe(1);
      expect(await sample(app, "setlist_log_impressions_waiting")).toBeGreaterThan(0);
      await makeRoom();
      await becomes(app, "ready");
      await clients.more(50);
    }
    await clients.stop();
    expect(clients.refusals).toBeGreaterThan(0);
    expect(clients.slowestRankMs).toBeLessThan(2_000);
    expect(await sample(app, "setlist_log_refused")).toBe(0);
    expect(await sample(app, "setlist_impressions_dropped_total")).toBe(0);
    await stop();
    await expectBookKept(clients, log);
  });

  test("impressions beyond the buffer are dropped and counted, those in it are not", async () => {
    const disk = await make(16);
    const { app, stop, log } = await startOn(disk.path, { impressionBufferBytesMax: 4_000 });
    const clients = new LoggingClients(app.post, 4);
    await clients.more(50);
    const makeRoom = await fill(disk.path);
    await eventually(async () =>
      expect(await sample(app, "setlist_impressions_dropped_total")).toBeGreaterThan(5),
    );
    expect(await sample(app, "setlist_log_impressions_waiting")).toBeGreaterThan(5);
    await makeRoom();
    await becomes(app, "ready");
    await clients.more(50);
    await clients.stop();
    const dropped = await sample(app, "setlist_impressions_dropped_total");
    await stop();
    await expectBookKept(clients, log, dropped);
  });

  test("several processes: each says so, and each is well again", async () => {
    const disk = await make(64);
    const dataDir = join(disk.path, "data");
    const env = { SETLIST_LOG_SEGMENT_BYTES_MAX: "262144" };
    const group = await startGroup(dataDir, { env });
    const app = callsOf(group);
    const clients = new LoggingClients(app.post, 4);
    await clients.more(50);
    const makeRoom = await fill(disk.path);
    await becomes(app, "degraded");
    await clients.more(30);
    // Each call is a connection of its own, so that both processes are asked.
    for (let i = 0; i < 12; i++) expect((await readinessOf(app)).status).toBe("degraded");
    expect(await sample(app, "setlist_log_refused")).toBe(1);
    await makeRoom();
    await becomes(app, "ready");
    await clients.more(50);
    await clients.stop();
    expect(clients.refusals).toBeGreaterThan(0);
    expect(await sample(app, "setlist_impressions_dropped_total")).toBe(0);
    group.signal("SIGTERM");
    expect(await group.ended).toBe(0);
    await expectBookKept(clients, join(dataDir, "log"));
  });
});

function callsOf(group: ProcessGroup): Pick<RunningApp, "get" | "post"> {
  const call = async (method: string, path: string, body?: object) => {
    const { status, text } = await group.call(method, path, body);
    return { status, headers: new Headers(), body: text.startsWith("{") ? JSON.parse(text) : text };
  };
  return { get: (path) => call("GET", path), post: (path, body) => call("POST", path, body as object) };
}

await describeWithDisk("ext4", "a disk that may not be written", (make) => {
  test("the permission to write is lost, also to files that are open, and comes back", async () => {
    const disk = await make(32);
    const { app, stop, log } = await startOn(disk.path);
    const immutable = (flag: "+i" | "-i") =>
      promisify(execFile)("chattr", ["-R", flag, join(disk.path, "log")]);
    onTestFinished(() => immutable("-i").catch(() => undefined) as Promise<void>);
    const clients = new LoggingClients(app.post, 4);
    await clients.more(100);
    await immutable("+i");
    await becomes(app, "degraded");
    await clients.more(50);
    expect((await readinessOf(app)).detail).toContain("EPERM");
    await immutable("-i");
    await becomes(app, "ready");
    await clients.more(50);
    await clients.stop();
    expect(clients.refusals).toBeGreaterThan(0);
    await stop();
    await expectBookKept(clients, log);
  });

  test("the system makes it read-only under load: what was acknowledged is there once it is mounted again", async () => {
    const disk = await make(32);
    const { app, stop, log } = await startOn(disk.path);
    const clients = new LoggingClients(app.post, 4);
    await clients.more(100);
    // As ext4 does it to itself where its journal cannot be written.
    await disk.remount("abort");
    await becomes(app, "degraded");
    await clients.more(50);
    expect((await readinessOf(app)).detail).toMatch(/EROFS|EIO/);
    await clients.stop();
    const waiting = await sample(app, "setlist_log_impressions_waiting");
    expect(waiting).toBeGreaterThan(0);
    await expect(stop()).rejects.toThrow("the disk refuses");
    await disk.mountAgain();
    const names = await namesIn(log);
    const there = new Set(names);
    expect(names.length).toBe(there.size);
    expect([...clients.acknowledged].filter((id) => !there.has(id))).toEqual([]);
    // Impressions: but for those that waited, and those whose sync had not come.
    const lost = [...clients.answered].filter((id) => !there.has(id));
    expect(lost.length).toBeGreaterThanOrEqual(waiting);
    const again = await startApp(join(log, ".."));
    onTestFinished(() => again.stop());
    expect(await readinessOf(again)).toEqual({ status: "ready" });
    const { body } = await again.post("/v1/outcomes", {
      outcomes: [...clients.acknowledged].slice(-50).map((outcomeId) => ({
        outcomeId,
        requestId: "r",
        itemId: "t1",
        type: "completion",
      })),
    });
    expect(body).toMatchObject({ accepted: 0, duplicates: 50 });
  });
});
