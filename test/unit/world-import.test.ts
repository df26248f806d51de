import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import { openFeatureStore, type PreparedFeatureStore } from "../../src/features/features.ts";
import { encodedBy } from "../support/encoded-request.ts";
import { homeModel, requestOf, tempoModel, testWorld } from "../support/feature-models.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { realClock } from "../support/tiny-models.ts";
import { runSql, writeWorld } from "../support/tiny-world.ts";

interface Place {
  readonly world: string;
  readonly directory: string;
  readonly warnings: string[];
  readonly open: () => Promise<PreparedFeatureStore>;
}

/** A world and an empty folder for the store; every store that is opened is closed when the test is over. */
async function place(world = testWorld): Promise<Place> {
  const folder = await temporaryFolder();
  const paths = { world: join(folder, "world"), directory: join(folder, "features") };
  await writeWorld(paths.world, world);
  const warnings: string[] = [];
  const open = async (): Promise<PreparedFeatureStore> => {
    const store = await openFeatureStore({
      ...paths,
      cacheRowsMax: 100,
      onWarning: (warning) => warnings.push(warning),
    });
    onTestFinished(() => store.close());
    return store;
  };
  return { ...paths, warnings, open };
}

async function tempoOf(store: PreparedFeatureStore, id: string): Promise<number | undefined> {
  return (await encodedBy(store, tempoModel, requestOf([id]))).tensors[0]?.[0];
}

function flipLastBit(rows: Buffer): Buffer {
  rows.writeUInt8((rows.at(-1) ?? 0) ^ 1, rows.length - 1);
  return rows;
}

/** Which file holds the rows, and which file of that name it is. */
async function factsOfImported(directory: string): Promise<readonly string[]> {
  const [file, ...others] = (await readdir(directory)).filter((name) => name.endsWith(".lmdb"));
  const facts = await stat(join(directory, file ?? ""), { bigint: true });
  return [`${file}`, `${facts.ino}`, `${facts.birthtimeNs}`, ...others];
}

async function refusal({ open }: Place): Promise<string> {
  const error: unknown = await open().catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(SetlistError);
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
  return (error as SetlistError).message;
}

describe("a world is imported", () => {
  test("once: the next start opens what was imported", async () => {
    const at = await place();
    await (await at.open()).close();
    const imported = await factsOfImported(at.directory);
    const store = await at.open();
    expect(await tempoOf(store, "t2")).toBe(100);
    expect(await factsOfImported(at.directory)).toEqual(imported);
  });

  test("once, also where only the times of the Parquet files have changed", async () => {
    const at = await place();
    await (await at.open()).close();
    const imported = await factsOfImported(at.directory);
    await utimes(join(at.world, "items.parquet"), new Date(0), new Date(0));
    await (await at.open()).close();
    expect(await factsOfImported(at.directory)).toEqual(imported);
  });

  test("again when its content has changed, and the old rows are removed", async () => {
    const at = await place();
    await (await at.open()).close();
    const [before] = await factsOfImported(at.directory);
    await writeWorld(at.world, { ...testWorld, items: { ...testWorld.items, t2: { tempo: 200 } } });
    expect(await tempoOf(await at.open(), "t2")).toBe(200);
    const after = await factsOfImported(at.directory);
    expect(after).toHaveLength(3);
    expect(after[0]).not.toBe(before);
  });

  test("whole or not at all: what a killed import left is no store", async () => {
    const at = await place();
    await (await at.open()).close();
    const [imported] = (await readdir(at.directory)).filter((name) => name.endsWith(".lmdb"));
    const path = join(at.directory, imported ?? "");
    // As after a kill: a part of the rows under the name that imports work under, and no finished file.
    const part = (await readFile(path)).subarray(0, 8_192);
    await rm(path);
    await writeFile(`${path}.importing`, part);
    await writeFile(`${path}.importing-lock`, "");
    expect(await tempoOf(await at.open(), "t2")).toBe(100);
    expect((await readdir(at.directory)).filter((name) => name.includes("importing"))).toEqual([]);
  });

  test.each<[string, (rows: Buffer) => Buffer]>([
    ["random bytes", (rows) => randomBytes(rows.length)],
    [
      "zeros where its first pages were",
      (rows) => Buffer.concat([Buffer.alloc(8_192), rows.subarray(8_192)]),
    ],
    ["half of it", (rows) => rows.subarray(0, rows.length / 2)],
    ["nothing", () => Buffer.alloc(0)],
    ["one flipped bit in its last page", flipLastBit],
  ])("anew, with a warning, where its file holds %s", async (_damage, damaged) => {
    const at = await place();
    await (await at.open()).close();
    const [imported] = await factsOfImported(at.directory);
    const path = join(at.directory, imported ?? "");
    await writeFile(path, damaged(await readFile(path)));
    expect(await tempoOf(await at.open(), "t2")).toBe(100);
    expect(at.warnings).toEqual([
      `${path} is damaged (it is not what its checksum says): its rows are imported again from ${at.world}`,
    ]);
    await at.open();
    expect(at.warnings).toHaveLength(1);
  });

  test("anew after an import that failed", async () => {
    const at = await place();
    const items = join(at.world, "items.parquet");
    const good = await readFile(items);
    await writeFile(items, "not Parquet");
    expect(await refusal(at)).toContain(`${items}: expected a Parquet file, found: `);
    await writeFile(items, good);
    expect(await tempoOf(await at.open(), "t2")).toBe(100);
  });
});

describe("an import is refused with its file, column and row for", () => {
  /** A world whose items are what a query says. */
  async function placeOf(query: string): Promise<Place & { items: string }> {
    const at = await place();
    const items = join(at.world, "items.parquet");
    await runSql(`COPY (${query}) TO '${items}' (FORMAT parquet)`);
    return { ...at, items };
  }

  test("a missing file", async () => {
    const at = await place();
    await rm(join(at.world, "users.parquet"));
    expect(await refusal(at)).toBe(
      `${join(at.world, "users.parquet")}: expected the Parquet file of a world, but it cannot be read (ENOENT)`,
    );
  });

  test("no column of ids", async () => {
    const at = await placeOf("SELECT 't1' AS item, 1.5 AS tempo");
    expect(await refusal(at)).toBe(`${at.items}: expected a column id, found item, tempo`);
  });

  test("a row without an id", async () => {
    const at = await placeOf("SELECT * FROM (VALUES ('t1', 1.5), (NULL, 2.5)) AS rows (id, tempo)");
    expect(await refusal(at)).toBe(`${at.items}: row 1 has no id`);
  });

  test("an id that is there twice", async () => {
    const at = await placeOf("SELECT 't1' AS id, i AS tempo FROM range(2) AS rows (i)");
    expect(await refusal(at)).toBe(`${at.items}: id "t1" is there twice`);
  });

  test("a number that is none", async () => {
    const at = await placeOf("SELECT 't1' AS id, 'NaN'::DOUBLE AS tempo");
    expect(await refusal(at)).toBe(
      `${at.items}: expected finite numbers or strings in column tempo, found NaN in the row of "t1"`,
    );
  });

  test("a list with a hole", async () => {
    const at = await placeOf("SELECT 't1' AS id, [1.5, NULL] AS content");
    expect(await refusal(at)).toBe(
      `${at.items}: expected finite numbers or strings in column content, found [ 1.5, null ] in the row of "t1"`,
    );
  });
});

describe("columns", () => {
  test("of any numeric and textual type are features, fixed-size lists too", async () => {
    const at = await place();
    await runSql(
      `COPY (SELECT 't1' AS id, 7::TINYINT AS popularity, [1, 2]::FLOAT[2] AS content,
                    'pop'::ENUM('pop', 'jazz') AS genre, 93.5::DECIMAL(5, 1) AS tempo)
       TO '${join(at.world, "items.parquet")}' (FORMAT parquet)`,
    );
    const store = await at.open();
    store.prepare([homeModel, tempoModel]);
    const { tensors, defaultedCount } = await encodedBy(store, homeModel, requestOf(["t1"]));
    expect(tensors[4]).toEqual(Float32Array.of(7, 1, 2));
    expect(tensors[5]?.[0]).toBe(2);
    expect(defaultedCount).toBe(0);
    expect(await tempoOf(store, "t1")).toBe(93.5);
    expect(at.warnings).toEqual([]);
  });

  test("of a type that no feature has are ignored with a warning", async () => {
    const at = await place();
    const items = join(at.world, "items.parquet");
    await runSql(
      `COPY (SELECT 't1' AS id, 93.5 AS tempo, TIMESTAMP '2026-11-22 00:00:00' AS released) TO '${items}' (FORMAT parquet)`,
    );
    expect(await tempoOf(await at.open(), "t1")).toBe(93.5);
    expect(at.warnings).toEqual([`${items}: column released is ignored, TIMESTAMP cannot be a feature`]);
  });

  test("that a model asks for and the world lacks are warned of", async () => {
    const at = await place({ ...testWorld, items: { t1: { popularity: 1, content: [1, 2], genre: "pop" } } });
    const store = await at.open();
    store.prepare([homeModel, tempoModel, tempoModel]);
    expect(at.warnings).toEqual([
      "model home-tempo/1: the feature store has no column for the item feature tempo; it is a default wherever a request does not bring it",
    ]);
    const { tensors, defaultedCount } = await encodedBy(store, tempoModel, requestOf(["t1"]));
    expect(tensors).toEqual([Float32Array.of(120)]);
    expect(defaultedCount).toBe(1);
  });

  test("of the wrong kind stop the start", async () => {
    const at = await place({ ...testWorld, items: { t1: { tempo: "fast" } } });
    const store = await at.open();
    expect(() => store.prepare([tempoModel])).toThrow(
      "model home-tempo/1: expected a column of numbers for the item feature tempo, found strings in the feature store",
    );
  });

  test("whose lists have another length than the feature are defaults there, with one warning", async () => {
    const at = await place({
      ...testWorld,
      items: {
        t1: { popularity: 1, content: [1, 2], genre: "pop" },
        t2: { popularity: 1, content: [1, 2, 3], genre: "pop" },
        t3: { popularity: 1, content: [1], genre: "pop" },
      },
    });
    const store = await at.open();
    const { tensors, defaultedCount } = await encodedBy(store, homeModel, requestOf(["t1", "t2", "t3"]));
    expect(tensors[4]).toEqual(Float32Array.of(1, 1, 2, 1, 0, 0, 1, 0, 0));
    expect(defaultedCount).toBe(2);
    expect(at.warnings).toEqual([
      'home-test/1: the store\'s item feature content is not always an array of 2 finite numbers, first for "t2"; the default is used there',
    ]);
  });
});

test("the committed world knows every feature that the committed models ask for, of every user and item", async () => {
  const root = join(import.meta.dirname, "../..");
  const { openScorer } = await import("../../src/inference/inference.ts");
  const scorer = await openScorer({
    repository: join(root, "models/repository"),
    workers: 1,
    batchRowsMax: 256,
    queueRequestsMax: 1,
    clock: realClock,
  });
  onTestFinished(() => scorer.close());
  const world = join(await temporaryFolder(), "world");
  await mkdir(world);
  for (const file of ["users.parquet", "items.parquet"]) {
    await copyFile(join(root, "models/world", file), join(world, file));
  }
  const warnings: string[] = [];
  const store = await openFeatureStore({
    directory: join(world, "features"),
    world,
    cacheRowsMax: 5_000,
    onWarning: (warning) => warnings.push(warning),
  });
  onTestFinished(() => store.close());
  store.prepare(scorer.models());
  const tracks = Array.from({ length: 2_000 }, (_, index) => `t${1 + index * 2}`);
  for (const model of scorer.models()) {
    for (const user of ["u1", "u5000"]) {
      const encoded = await encodedBy(store, model, requestOf(tracks, { user: { id: user } }));
      expect(encoded).toMatchObject({ defaultedCount: 0, storeUnavailable: false });
    }
  }
  expect(warnings).toEqual([]);
});
