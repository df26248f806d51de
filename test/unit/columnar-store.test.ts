import { existsSync } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open as openFile,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type ColumnarStore,
  openColumnarStore,
  partitionDate,
  type Staging,
} from "../../src/columnar/columnar.ts";
import { moveDurably } from "../../src/columnar/durable-files.ts";
import { rowsOf } from "../support/parquet.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Facts {
  readonly rows: number;
}

const segment = { name: "0000000001", salt: 7 };

function open(root: string): Promise<ColumnarStore<Facts>> {
  return openColumnarStore<Facts>(root, ["rows"]);
}

async function publish(root: string, dates: readonly string[]): Promise<void> {
  const store = await open(root);
  await store.stage((staging) =>
    store.publish(staging, segment, [{ folder: "", dates, rows: () => "SELECT 1 AS a" }], { rows: 1 }),
  );
  store.close();
}

describe("the date of a partition", () => {
  test.each([
    ["0000-12-31T23:59:59.999Z", "__HIVE_DEFAULT_PARTITION__"],
    ["0001-01-01T00:00:00.000Z", "0001-01-01"],
    ["1969-12-31T23:59:59.999Z", "1969-12-31"],
    ["2026-11-22T00:00:00.000Z", "2026-11-22"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31"],
    ["9999-12-31T23:59:59.999-12:00", "__HIVE_DEFAULT_PARTITION__"],
  ])("of %s is %s", (at, date) => {
    expect(partitionDate(Date.parse(at))).toBe(date);
  });

  test("stays a DATE for readers, with NULL for what has none", async () => {
    const root = await temporaryFolder();
    await publish(root, ["2026-11-22", partitionDate(8.64e15)]);
    expect(
      await rowsOf(
        `SELECT date::VARCHAR AS date, typeof(date) AS type FROM '${root}/date=*/*.parquet' ORDER BY ALL`,
      ),
    ).toStrictEqual([
      { date: "2026-11-22", type: "DATE" },
      { date: null, type: "DATE" },
    ]);
  });
});

function markerOf(changes: {
  readonly files: readonly string[];
  readonly removed?: readonly string[];
}): string {
  return JSON.stringify({ segment: "0000000001", salt: 7, facts: { rows: 1 }, ...changes });
}

describe("a marker that is none is named, and removing it has the segment done again:", () => {
  test.each([
    ["no JSON", "{"],
    ["null", "null"],
    ["of another segment", '{"segment":"0000000009","salt":7,"files":[],"facts":{"rows":1}}'],
    ["without its salt", '{"segment":"0000000001","files":[],"facts":{"rows":1}}'],
    ["with files that are no names", '{"segment":"0000000001","salt":7,"files":[1],"facts":{"rows":1}}'],
    ["with a file elsewhere", markerOf({ files: ["../../elsewhere/date=x/0000000001.parquet"] })],
    ["with an absolute path", markerOf({ files: ["/date=2026-11-22/0000000001.parquet"] })],
    ["with another segment's file", markerOf({ files: ["date=2026-11-22/0000000002.parquet"] })],
    ["with a file to delete elsewhere", markerOf({ files: [], removed: ["../mine.txt"] })],
    ["without facts", '{"segment":"0000000001","salt":7,"files":[]}'],
    ["with other facts", '{"segment":"0000000001","salt":7,"files":[],"facts":{"lines":1}}'],
  ])("%s", async (_, text) => {
    const root = await temporaryFolder();
    await publish(root, ["2026-11-22"]);
    const path = join(root, "done/0000000001.json");
    await writeFile(path, text);
    await expect(open(root)).rejects.toThrow(
      `${path}: expected the marker of segment 0000000001; remove it to have the segment done again`,
    );
  });
});

test("a file that its marker promises and that is missing is named at the opening", async () => {
  const root = await temporaryFolder();
  await publish(root, ["2026-11-22"]);
  const file = join(root, "date=2026-11-22/0000000001.parquet");
  await rm(file);
  await expect(open(root)).rejects.toThrow(`${file} is missing, and ${join(root, "done/0000000001.json")}`);
});

test("what a killed process left is gone: drafts at the next opening, other dates' files at the next publishing", async () => {
  const root = await temporaryFolder();
  for (const folder of [".draft/overflow", "date=2026-11-21"])
    await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, ".draft/overflow/duckdb_temp_storage-0.tmp"), "");
  await writeFile(join(root, "date=2026-11-21/0000000001.parquet"), "");
  await writeFile(join(root, "date=2026-11-21/0000000002.parquet"), "");
  await publish(root, ["2026-11-22"]);
  expect((await readdir(root, { recursive: true })).sort()).toStrictEqual(
    [
      [".draft", "date=2026-11-21", "date=2026-11-21/0000000002.parquet", "date=2026-11-22"],
      ["date=2026-11-22/0000000001.parquet", "done", "done/0000000001.json", "lock", "readers"],
    ].flat(),
  );
  expect(JSON.parse(await readFile(join(root, "done/0000000001.json"), "utf8"))).toStrictEqual({
    segment: "0000000001",
    salt: 7,
    files: ["date=2026-11-22/0000000001.parquet"],
    facts: { rows: 1 },
  });
});

test("a removal that was cut short leaves no file that is missed: the next one finishes it", async () => {
  const root = await temporaryFolder();
  await publish(root, ["2026-11-21", "2026-11-22"]);
  const store = await open(root);
  const second = join(root, "date=2026-11-22/0000000001.parquet");
  await rm(second);
  await mkdir(second);
  await expect(store.remove(segment.name, { rows: 0 })).rejects.toThrow(second);
  store.close();
  await rm(second, { recursive: true });
  const again = await open(root);
  expect(again.done.get(segment.name)?.removed).toHaveLength(2);
  await again.remove(segment.name, { rows: 0 });
  again.close();
  expect(await readdir(join(root, "date=2026-11-21"))).toEqual([]);
});

test("a file gets its name once its bytes are on the disk, and the name is there before anybody is told", async () => {
  const folder = await temporaryFolder();
  const [draft, place] = [join(folder, "draft"), join(folder, "date=2026-11-22", "1.parquet")];
  await writeFile(draft, "rows");
  const handle = await openFile(draft);
  const synced: string[] = [];
  const sync = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, "sync");
  onTestFinished(() => sync.mockRestore());
  sync.mockImplementation(async function (this: FileHandle) {
    const path = await readlink(`/proc/self/fd/${this.fd}`);
    synced.push(`${path} ${existsSync(place) ? "after" : "before"}`);
  });
  await handle.close();
  await moveDurably(draft, place);
  expect(synced).toEqual([`${draft} before`, `${folder} before`, `${dirname(place)} after`]);
});

test("what outgrows memory goes among the drafts, each database's apart, so that a killed process leaves nothing elsewhere", async () => {
  const root = await temporaryFolder();
  const store = await open(root);
  const folderOf = async (staging: Staging): Promise<unknown> =>
    (await staging.runAndReadAll("SELECT current_setting('temp_directory')")).getRows()[0]?.[0];
  const folders = await store.stage(async (first) => [
    await folderOf(first),
    await store.stage((second) => folderOf(second)),
  ]);
  store.close();
  expect(folders).toStrictEqual([join(root, ".draft/overflow-0"), join(root, ".draft/overflow-1")]);
});
