import { existsSync } from "node:fs";
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTemporaryFolder } from "../../src/columnar/columnar.ts";

const purpose = `test-${process.pid}`;
const longAgo = new Date(Date.now() - 3_600_000);

async function leftBehind(name: string): Promise<string> {
  const folder = join(tmpdir(), `setlist-${purpose}-${name}`);
  await mkdir(folder);
  await writeFile(join(folder, "0000000001.parquet"), "");
  return folder;
}

test("a folder that a killed process left is removed by the next of its purpose, one in use or of a moment ago is not", async () => {
  const left = await leftBehind("left");
  await utimes(left, longAgo, longAgo);
  const fresh = await leftBehind("fresh");
  await withTemporaryFolder(purpose, async (inUse) => {
    expect([left, fresh].map(existsSync)).toEqual([false, true]);
    await utimes(inUse, longAgo, longAgo);
    await utimes(fresh, longAgo, longAgo);
    await withTemporaryFolder(purpose, async (other) => {
      expect([inUse, fresh, other].map(existsSync)).toEqual([true, false, true]);
    });
  });
});
