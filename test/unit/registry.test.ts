import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import type { StoreChange } from "../../src/domain/store-state.ts";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import { experimentWith } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const at = Date.parse("2026-11-22T08:00:00.000Z");
const clock = { now: () => at, monotonic: () => 0 };

function creating(id: string): StoreChange {
  return { experiments: [{ document: experimentWith({ id, layer: id }), what: "created, running" }] };
}

function opened(dataDir: string): Registry {
  const registry = openRegistry({ dataDir, clock });
  onTestFinished(() => registry.close());
  return registry;
}

test("a new store that another process is just making is waited for", async () => {
  const dataDir = await temporaryFolder();
  const script = `
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(process.argv[1]);
    database.exec("BEGIN IMMEDIATE");
    process.stdout.write("held");
    setTimeout(() => database.exec("COMMIT"), 300);`;
  const file = join(dataDir, "experiments.sqlite");
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, file]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  expect(opened(dataDir).list()).toEqual([]);
});

test("a copy of the file alone, made while the store is open, has every revision", async () => {
  const dataDir = await temporaryFolder();
  const registry = opened(dataDir);
  await registry.write("ada", () => creating("first"));
  await registry.write("ada", () => creating("second"));
  const copy = await temporaryFolder();
  await copyFile(join(dataDir, "experiments.sqlite"), join(copy, "experiments.sqlite"));
  const read = openRegistry({ dataDir: copy, readOnly: true, clock });
  onTestFinished(() => read.close());
  expect(read.list().map(({ id }) => id)).toEqual(["first", "second"]);
});

test("a store of version 1 is brought up to date, with all that it kept", async () => {
  const dataDir = await temporaryFolder();
  const old = new DatabaseSync(join(dataDir, "experiments.sqlite"));
  old.exec(`CREATE TABLE revisions (experiment TEXT NOT NULL, revision INTEGER NOT NULL, who TEXT NOT NULL,
    at INTEGER NOT NULL, what TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (experiment, revision)) STRICT;
    PRAGMA user_version = 1;`);
  old
    .prepare("INSERT INTO revisions VALUES ('exp', 1, 'ada', ?, 'created, running', ?)")
    .run(at, JSON.stringify(experimentWith()));
  old.close();
  expect(() => openRegistry({ dataDir, readOnly: true, clock })).toThrow(
    "start `setlist serve` over it once",
  );
  const registry = opened(dataDir);
  expect(registry.list()).toEqual([experimentWith()]);
  const [kept] = await registry.history("exp");
  expect(kept).toMatchObject({ who: "ada", what: "created, running", hash: undefined });
  await registry.write("grace", () => creating("other"));
  expect((await registry.history("other"))[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
});

describe("a read-only registry", () => {
  test("says where there is no store yet, and makes none", async () => {
    const dataDir = await temporaryFolder();
    const open = () => openRegistry({ dataDir, readOnly: true, clock });
    expect(open).toThrow(`no experiments in ${dataDir} yet`);
    expect(open).toThrow("setlist serve --data-dir");
  });

  test("says of a folder that ingest filled where its experiments come from", async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, "warehouse"));
    const open = () => openRegistry({ dataDir, readOnly: true, clock });
    expect(open).toThrow("experimentStore.url, or copy a server's experiments.sqlite there");
    expect(open).not.toThrow("setlist serve");
  });

  test("reads beside a writer, sees what it wrote since, and writes nothing itself", async () => {
    const dataDir = await temporaryFolder();
    const writer = opened(dataDir);
    const reader = openRegistry({ dataDir, readOnly: true, clock });
    onTestFinished(() => reader.close());
    await writer.write("ada", () => creating("exp"));
    await expect.poll(() => reader.list()).toEqual(writer.list());
    await expect(reader.write("ada", () => creating("other"))).rejects.toThrow("were opened to be read");
  });

  test("reads a store that its server has closed", async () => {
    const dataDir = await temporaryFolder();
    const writer = openRegistry({ dataDir, clock });
    await writer.write("ada", () => creating("exp"));
    await writer.close();
    const reader = openRegistry({ dataDir, readOnly: true, clock });
    onTestFinished(() => reader.close());
    expect(reader.get("exp")?.revision).toBe(1);
  });
});

describe("a store that cannot be used is refused with its file and the reason:", () => {
  test("one that is no database", async () => {
    const dataDir = await temporaryFolder();
    await writeFile(join(dataDir, "experiments.sqlite"), "not a database, and long enough to be read as one");
    expect(() => openRegistry({ dataDir, clock })).toThrow(
      /experiments\.sqlite cannot be opened: .*database/,
    );
  });

  test("one of a newer Setlist", async () => {
    const dataDir = await temporaryFolder();
    const database = new DatabaseSync(join(dataDir, "experiments.sqlite"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => openRegistry({ dataDir, clock })).toThrow("its tables are of version 99");
  });
});

test("an experiment that was written survives a kill -9 of its process", async () => {
  const dataDir = await temporaryFolder();
  const script = `
    const { openRegistry } = await import(${JSON.stringify(join(process.cwd(), "src/registry/registry.ts"))});
    const registry = openRegistry({ dataDir: ${JSON.stringify(dataDir)}, clock: { now: () => 0, monotonic: () => 0 } });
    await registry.write("ada", () => (${JSON.stringify(creating("exp"))}));
    process.kill(process.pid, "SIGKILL");
  `;
  const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(signal, stderr).toBe("SIGKILL");
  expect(opened(dataDir).get("exp")?.revision).toBe(1);
});

test("while another process writes, a write waits and the thread goes on", async () => {
  const dataDir = await temporaryFolder();
  const registry = opened(dataDir);
  const other = new DatabaseSync(join(dataDir, "experiments.sqlite"));
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  // Were the thread held up, nothing would ever come to end what it waits for.
  setTimeout(() => other.exec("COMMIT"), 50);
  await registry.write("ada", () => creating("exp"));
  expect(registry.list().map(({ id }) => id)).toEqual(["exp"]);
});
