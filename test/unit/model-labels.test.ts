import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { openRegistry, type Registry } from "../../src/registry/registry.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const clock = { now: () => 1_000, monotonic: () => 0 };

function opened(dataDir: string): Registry {
  const registry = openRegistry({ dataDir, clock });
  onTestFinished(() => registry.close());
  return registry;
}

test("a label remembers where it stood, and who moved it, across restarts", async () => {
  const dataDir = await temporaryFolder();
  const first = openRegistry({ dataDir, clock });
  expect(first.labels.list()).toEqual([]);
  first.labels.move({ name: "home-kd", label: "stable", version: "1" }, "ada");
  first.labels.move({ name: "home-kd", label: "stable", version: "2" }, "bob");
  first.labels.move({ name: "home-kd", label: "candidate", version: "3" }, "bob");
  first.labels.move({ name: "radio-kd", label: "stable", version: "9" }, "ada");
  await first.close();
  const { labels } = opened(dataDir);
  expect(labels.list()).toEqual([
    { name: "home-kd", label: "candidate", version: "3", previous: undefined },
    { name: "home-kd", label: "stable", version: "2", previous: "1" },
    { name: "radio-kd", label: "stable", version: "9", previous: undefined },
  ]);
  expect(labels.history("home-kd").map(({ label, version, who, at }) => [label, version, who, at])).toEqual([
    ["stable", "1", "ada", 1_000],
    ["stable", "2", "bob", 1_000],
    ["candidate", "3", "bob", 1_000],
  ]);
});

test("a move to where a label stands already is none", async () => {
  const { labels } = opened(await temporaryFolder());
  labels.move({ name: "home-kd", label: "stable", version: "1" }, "ada");
  labels.move({ name: "home-kd", label: "stable", version: "1" }, "bob");
  expect(labels.history("home-kd")).toHaveLength(1);
});

test("a store from before there were labels gets them, and stays one that an older Setlist can read", async () => {
  const dataDir = await temporaryFolder();
  await openRegistry({ dataDir, clock }).close();
  const database = new DatabaseSync(join(dataDir, "experiments.sqlite"));
  database.exec("DROP TABLE model_label_moves");
  const before = database.prepare("PRAGMA user_version").get();
  database.close();
  const { labels } = opened(dataDir);
  labels.move({ name: "home-kd", label: "stable", version: "1" }, "ada");
  expect(labels.list()).toHaveLength(1);
  const after = new DatabaseSync(join(dataDir, "experiments.sqlite"), { readOnly: true });
  expect(after.prepare("PRAGMA user_version").get()).toEqual(before);
  after.close();
});

test("labels of a store that was opened to be read cannot be moved", async () => {
  const dataDir = await temporaryFolder();
  await openRegistry({ dataDir, clock }).close();
  const registry = openRegistry({ dataDir, readOnly: true, clock });
  onTestFinished(() => registry.close());
  expect(() => registry.labels.move({ name: "a", label: "b", version: "1" }, "ada")).toThrow(
    "opened to be read",
  );
});
