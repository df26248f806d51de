import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { compactDataDirectory } from "../../src/app/data/compact-data.ts";
import { lockFolder } from "../../src/columnar/folder-lock.ts";
import { encodeSegmentHeader } from "../../src/outcomes/segment-header.ts";
import { addTeacher, type LabelHouse, labelHouse } from "../support/label-house.ts";
import { rowsOf } from "../support/parquet.ts";
import { setlistHere } from "../support/setlist-command.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { repositoryWith } from "../support/tiny-models.ts";

function label({ dataDir, repository, world }: LabelHouse, ...more: string[]) {
  return setlistHere("label", "--data-dir", dataDir, "--models", repository, "--world", world, ...more);
}

describe("a damaged log stops", () => {
  test.each(["label", "compact"] as const)("%s, which names segment, record and offset", async (command) => {
    const house = await labelHouse(2);
    const segment = join(house.dataDir, "log/0000000001.seg");
    const bytes = await readFile(segment);
    await writeFile(segment, bytes.fill(0xaa, 60, 61));
    const { code, stderr } =
      command === "label" ? await label(house) : await setlistHere("compact", "--data-dir", house.dataDir);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `setlist: log segment 0000000001.seg in ${house.dataDir}/log is damaged in its record 0 at offset 32: the checksum does not match`,
    );
    expect(stderr).not.toContain("    at ");
    const places = await readdir(house.dataDir, { recursive: true });
    expect(places.filter((name) => /\.parquet$|done\/.*json$/.test(name))).toStrictEqual([]);
  });

  test.each(["label", "compact"] as const)("%s, where a later Setlist wrote it", async (command) => {
    const house = await labelHouse(1);
    const segment = join(house.dataDir, "log/0000000001.seg");
    const bytes = await readFile(segment);
    encodeSegmentHeader({ number: 1, salt: bytes.readUInt32LE(16), madeAt: 0 }, 99).copy(bytes);
    await writeFile(segment, bytes);
    const { code, stderr } =
      command === "label" ? await label(house) : await setlistHere("compact", "--data-dir", house.dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(/0000000001\.seg .*schema version 99, and this Setlist reads 1 to \d+/);
  });
});

describe("a data directory that", () => {
  test.each([
    ["label", "labels"],
    ["compact", "warehouse"],
  ] as const)("%s cannot write to is told in a sentence", async (command, taken) => {
    const house = await labelHouse(1);
    await writeFile(join(house.dataDir, taken), "");
    const { code, stderr } =
      command === "label" ? await label(house) : await setlistHere("compact", "--data-dir", house.dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^setlist: ${house.dataDir}/${taken}/\\S+: a part of the path is no folder \\(ENOTDIR\\); .*\n$`,
        "m",
      ),
    );
    expect(stderr).not.toContain("    at ");
  });

  test("has a folder in the place of a segment is damaged there", async () => {
    const house = await labelHouse(1);
    await rm(join(house.dataDir, "log/0000000001.seg"));
    await mkdir(join(house.dataDir, "log/0000000001.seg"));
    for (const { code, stderr } of [
      await label(house),
      await setlistHere("compact", "--data-dir", house.dataDir),
    ]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/log segment 0000000001\.seg in \S+ is damaged .*: it is no file\./);
    }
  });

  test.each(["label", "compact"] as const)(
    "has no log is refused by %s, and nothing is made",
    async (command) => {
      const dataDir = await temporaryFolder();
      expect(await setlistHere(command, "--data-dir", dataDir)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: `setlist: no log in ${dataDir}: name the data directory of a server with --data-dir\n`,
      });
      expect(await readdir(dataDir)).toStrictEqual([]);
    },
  );

  test("has no feature store needs a server's start first", async () => {
    const house = await labelHouse(1);
    await rm(join(house.dataDir, "features"), { recursive: true });
    expect(await label(house)).toMatchObject({
      code: 1,
      stderr: `setlist: no feature store in ${house.dataDir}: a server's start with this data directory imports it\n`,
    });
  });
});

describe("the teacher", () => {
  test("is missed where the repository has students only", async () => {
    const { repository } = await repositoryWith("linear");
    const { code, stderr } = await label({ ...(await labelHouse(1)), repository });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `setlist: ${repository}/linear/1/manifest.json: role: expected "teacher" of at least one model, found "student"\n`,
    );
  });

  test("is told by its nearest name, or by its versions, where there is none of that name or version", async () => {
    const house = await labelHouse(1);
    const misspelt = await label(house, "--teacher", "linaer");
    expect(misspelt).toMatchObject({
      code: 1,
      stderr: `setlist: ${house.repository}: expected a model "linaer", found none (did you mean "linear"?)\n`,
    });
    const later = await label(house, "--teacher", "linear@7");
    expect(later).toMatchObject({
      code: 1,
      stderr: `setlist: ${house.repository}/linear: expected version 7, found 1\n`,
    });
  });

  test("is asked for where there are several, and then labels", async () => {
    const house = await labelHouse(1);
    await addTeacher(house.repository, "second");
    expect(await label(house)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("has several teachers, linear, second: name one with --teacher\n"),
    });
    const { code, stdout } = await label(house, "--teacher", "second", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ labelled: 2, teacher: { name: "second", version: "1" } });
  });
});

test("a second labeller of one data directory is refused in a sentence", async () => {
  const house = await labelHouse(1);
  expect(await label(house)).toMatchObject({ code: 0 });
  const folder = join(house.dataDir, "labels/teacher=linear/version=1");
  const lock = lockFolder(folder);
  const refused = await label(house);
  lock.release();
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(
    `setlist: another process is writing to ${folder}: wait until it has ended, or stop it\n`,
  );
  expect(await label(house)).toMatchObject({ code: 0 });
});

test("compact waits for another compactor of the data directory, and for too long a one with a sentence", async () => {
  const house = await labelHouse(1);
  const { dataDir } = house;
  expect(await setlistHere("compact", "--data-dir", dataDir)).toMatchObject({ code: 0 });
  const warehouse = join(dataDir, "warehouse");
  const lock = lockFolder(warehouse);
  await expect(compactDataDirectory({ dataDir, waitMsMax: 500 })).rejects.toMatchObject({
    code: "ABORTED",
    message: `another process is writing to ${warehouse}: wait until it has ended, or stop it`,
  });
  let isDone = false;
  const waiting = setlistHere("compact", "--data-dir", dataDir).finally(() => {
    isDone = true;
  });
  // Longer than a compaction with nothing to do takes here.
  await sleep(500);
  expect(isDone).toBe(false);
  lock.release();
  expect(await waiting).toMatchObject({ code: 0 });
});

test("the page's SQL joins labels with the impressions that they belong to", async () => {
  const house = await labelHouse(2);
  expect(await label(house)).toMatchObject({ code: 0 });
  expect(await setlistHere("compact", "--data-dir", house.dataDir)).toMatchObject({ code: 0 });
  const page = await readFile(join(import.meta.dirname, "../../docs/teacher-labels.md"), "utf8");
  const sql = /```sql\n(.*?);\n```/s.exec(page)?.[1] ?? "";
  const here = sql.replaceAll("'data/", `'${house.dataDir}/`).replaceAll("=video-teacher/", "=linear/");
  const rows = await rowsOf(`${here} ORDER BY ALL`);
  expect(rows.map((row) => Object.values(row).slice(0, 3))).toStrictEqual([
    ["r0", "t1", 1],
    ["r0", "t5", 2],
    ["r1", "t1", 1],
    ["r1", "t5", 2],
  ]);
  expect(rows[1]?.["click"]).toBeCloseTo(0.5 * 0.5 + 0.25 * 0.4, 6);
});

test.each([
  [["--metrics-port", "9100"], "--metrics-port goes with --follow"],
  [["--follow", "--metrics-port", "99999"], "expected a port from 0 to 65535"],
  [["--teacher", "a@b@c"], "expected NAME or NAME@VERSION"],
  [["--techer", "a"], "--teacher"],
  [["--poll-ms", "100"], "--poll-ms goes with --follow"],
  [["--follow", "--poll-ms", "0"], "expected a whole number from 1 to 3600000"],
  // Node would take a pause that long for one of 1 ms.
  [["--follow", "--poll-ms", "2147483648"], "expected a whole number from 1 to 3600000"],
])("label %j is wrong usage: exit 2", async (args, hint) => {
  const { code, stderr } = await setlistHere("label", ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(hint);
});
