import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import { arm, documentWith } from "../support/experiments.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const at = Date.parse("2026-11-22T08:00:00.000Z");
const clock = { now: () => at, monotonic: () => 0 };

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

describe("a sync", () => {
  test("makes a revision of every new document, with who, when and what", async () => {
    const registry = opened(await temporaryFolder());
    const documents = [documentWith({ id: "b", layer: "b" }), documentWith({ id: "a", layer: "a" })];
    expect(registry.sync(documents, "ada")).toEqual({ changed: ["a", "b"] });
    expect(registry.list().map(({ id, revision, phase }) => [id, revision, phase])).toEqual([
      ["a", 1, 1],
      ["b", 1, 1],
    ]);
    expect(registry.get("a")).toEqual(registry.list()[0]);
    expect(registry.history("a")).toEqual([
      { experiment: registry.get("a"), who: "ada", at, what: "created, running" },
    ]);
  });

  test("of unchanged documents changes nothing", async () => {
    const registry = opened(await temporaryFolder());
    registry.sync([documentWith()], "ada");
    expect(registry.sync([documentWith()], "ada")).toEqual({ changed: [] });
    expect(registry.history("exp")).toHaveLength(1);
  });

  test("keeps every revision, oldest first, over restarts", async () => {
    const dataDir = await temporaryFolder();
    const first = openRegistry({ dataDir, clock });
    first.sync([documentWith({ traffic: 0.1 })], "ada");
    first.close();
    const second = opened(dataDir);
    second.sync(
      [documentWith({ traffic: 0.5, arms: [arm("control"), arm("treated", { weight: 2 })] })],
      "ada",
    );
    expect(second.history("exp").map(({ experiment, what }) => [experiment.traffic, what])).toEqual([
      [0.1, "created, running"],
      [0.5, "traffic 0.1 to 0.5, arms; phase 2"],
    ]);
  });

  test("leaves alone what somebody else changed, until the document itself changes", async () => {
    const registry = opened(await temporaryFolder());
    registry.sync([documentWith({ traffic: 0.1 })], "configuration");
    registry.sync([documentWith({ traffic: 0.2 })], "ada");
    expect(registry.sync([documentWith({ traffic: 0.1 })], "configuration").changed).toEqual([]);
    expect(registry.get("exp")?.traffic).toBe(0.2);
    expect(registry.sync([documentWith({ traffic: 0.3 })], "configuration").changed).toEqual(["exp"]);
  });

  test("stops what it wrote and no document names any more; what others wrote stays", async () => {
    const registry = opened(await temporaryFolder());
    registry.sync([documentWith({ id: "a", layer: "a" })], "configuration");
    registry.sync([documentWith({ id: "b", layer: "b" })], "ada");
    expect(registry.sync([], "configuration").changed).toEqual(["a"]);
    expect(registry.sync([], "configuration").changed).toEqual([]);
    expect(registry.list().map(({ id, status, ranges }) => [id, status, ranges.length])).toEqual([
      ["a", "stopped", 0],
      ["b", "running", 1],
    ]);
    expect(registry.sync([documentWith({ id: "a", layer: "a" })], "configuration").changed).toEqual(["a"]);
    expect(registry.get("a")).toMatchObject({ status: "running", revision: 3, phase: 1 });
  });

  test("is all or nothing: one refused document, nothing written", async () => {
    const registry = opened(await temporaryFolder());
    const documents = [documentWith({ id: "a", traffic: 0.6 }), documentWith({ id: "b", traffic: 0.6 })];
    expect(() => registry.sync(documents, "ada")).toThrow("experiment b: traffic: expected at most 0.4");
    expect(registry.list()).toEqual([]);
    expect(registry.sync([documentWith()], "ada").changed).toEqual(["exp"]);
  });

  test("can be asked for beforehand, without writing", async () => {
    const registry = opened(await temporaryFolder());
    expect(registry.preview([documentWith()], "ada")).toMatchObject([{ id: "exp", revision: 1 }]);
    expect(registry.list()).toEqual([]);
  });
});

describe("a read-only registry", () => {
  test("says where there is no store yet, and makes none", async () => {
    const dataDir = await temporaryFolder();
    const open = () => openRegistry({ dataDir, readOnly: true });
    expect(open).toThrow(`no experiments in ${dataDir} yet`);
    expect(open).toThrow("setlist serve --data-dir");
  });

  test("reads beside a writer, sees what it wrote since, and writes nothing itself", async () => {
    const dataDir = await temporaryFolder();
    const writer = opened(dataDir);
    const reader = openRegistry({ dataDir, readOnly: true });
    onTestFinished(() => reader.close());
    writer.sync([documentWith()], "ada");
    expect(reader.list()).toEqual(writer.list());
    expect(() => reader.sync([], "ada")).toThrow("were opened to be read");
  });

  test("reads a store that its server has closed", async () => {
    const dataDir = await temporaryFolder();
    const writer = openRegistry({ dataDir, clock });
    writer.sync([documentWith()], "ada");
    writer.close();
    const reader = openRegistry({ dataDir, readOnly: true });
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

test("an experiment that was synced survives a kill -9 of its process", async () => {
  const dataDir = await temporaryFolder();
  const script = `
    const { openRegistry } = await import(${JSON.stringify(join(process.cwd(), "src/registry/registry.ts"))});
    const registry = openRegistry({ dataDir: ${JSON.stringify(dataDir)}, clock: { now: () => 0, monotonic: () => 0 } });
    registry.sync([${JSON.stringify(documentWith())}], "ada");
    process.kill(process.pid, "SIGKILL");
  `;
  const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(signal, stderr).toBe("SIGKILL");
  expect(opened(dataDir).get("exp")?.revision).toBe(1);
});
