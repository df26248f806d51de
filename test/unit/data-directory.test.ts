import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { existingDataDirectory, usableDataDirectory } from "../../src/app/data/data-directory.ts";
import { SetlistError } from "../../src/domain/error.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

async function refusal(dataDir: string): Promise<string> {
  const error: unknown = await usableDataDirectory(dataDir).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(SetlistError);
  return (error as SetlistError).message;
}

describe("a server's data directory", () => {
  test("is made with its folders, however deep, and may be there already", async () => {
    const dataDir = join(await temporaryFolder(), "a", "b", "data");
    await usableDataDirectory(dataDir);
    expect((await readdir(dataDir)).sort()).toEqual(["features", "log"]);
    expect(await usableDataDirectory(dataDir)).toBe(dataDir);
  });

  test("is refused where it is a file, or below one", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    expect(await refusal(file)).toBe(
      `the data directory cannot be used: ${file} is no folder: name another one with --data-dir`,
    );
    expect(await refusal(join(file, "data"))).toContain("a part of the path is no folder (ENOTDIR)");
  });

  test.each(["log", "features"])("is refused where its %s is a file", async (name) => {
    const dataDir = await temporaryFolder();
    await writeFile(join(dataDir, name), "");
    expect(await refusal(dataDir)).toContain(`${join(dataDir, name)} is no folder`);
  });

  test("is refused where it cannot be made, at once", async () => {
    const began = performance.now();
    expect(await refusal(`/proc/${"x".repeat(8)}/y`)).toMatch(/cannot be used: .*\((ENOENT|EACCES|EPERM)\)/);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test("is refused where its name is too long for the system", async () => {
    expect(await refusal(join(await temporaryFolder(), "x".repeat(300)))).toContain(
      "too long (ENAMETOOLONG)",
    );
  });
});

describe("a data directory that is only read", () => {
  test("is never made", async () => {
    const nowhere = join(await temporaryFolder(), "nowhere");
    expect(() => existingDataDirectory(nowhere)).toThrow(`no data directory at ${nowhere}`);
  });

  test("may lack every folder, but none of them is a file", async () => {
    const dataDir = await temporaryFolder();
    expect(existingDataDirectory(dataDir)).toBe(dataDir);
    await mkdir(join(dataDir, "log"));
    expect(existingDataDirectory(dataDir)).toBe(dataDir);
    await writeFile(join(dataDir, "features"), "");
    expect(() => existingDataDirectory(dataDir)).toThrow("is no folder");
  });
});
