import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openFeatureStore } from "../../src/features/features.ts";
import { encodedBy } from "../support/encoded-request.ts";
import { requestOf, tempoModel } from "../support/feature-models.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { runSql } from "../support/tiny-world.ts";

/** Enough for an import to take several times the longest wait below. */
const items = 80_000;

/** A process that opens the store, imports, says so, and stays. */
function importer(directory: string, world: string): ChildProcess {
  const script = `
    import { openFeatureStore } from "./src/features/features.ts";
    await openFeatureStore({ directory: ${JSON.stringify(directory)}, world: ${JSON.stringify(world)}, cacheRowsMax: 1 });
    console.log("imported");
    setInterval(() => {}, 1_000);`;
  return spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Waits until an import has written some of its rows, then kills it as a power failure would. */
async function killInTheMiddle(directory: string, world: string, waitMs: number): Promise<readonly string[]> {
  const child = importer(directory, world);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  let said = "";
  child.stdout?.on("data", (text: Buffer) => {
    said += text.toString();
  });
  const draft = (name: string): boolean => name.endsWith(".importing");
  while (child.exitCode === null && !(await readdir(directory)).some(draft)) await delay(2);
  await delay(waitMs);
  child.kill("SIGKILL");
  await gone;
  expect(said).toBe("");
  return readdir(directory);
}

test("an import that was killed, three times, leaves no half store: the next start has every row", async () => {
  const folder = await temporaryFolder();
  const [world, directory] = [join(folder, "world"), join(folder, "features")];
  await mkdir(world);
  await mkdir(directory);
  await runSql(
    `COPY (SELECT 't' || i AS id, i::DOUBLE AS tempo FROM range(1, ${items + 1}) AS rows (i))
     TO '${join(world, "items.parquet")}' (FORMAT parquet)`,
    `COPY (SELECT 'u1' AS id) TO '${join(world, "users.parquet")}' (FORMAT parquet)`,
  );
  for (const waitMs of [0, 20, 40]) {
    const left = await killInTheMiddle(directory, world, waitMs);
    expect(left.filter((name) => name.endsWith(".lmdb"))).toEqual([]);
    expect(left.filter((name) => name.endsWith(".importing"))).toHaveLength(1);
  }

  const store = await openFeatureStore({ directory, world, cacheRowsMax: 10 });
  onTestFinished(() => store.close());
  const ids = Array.from({ length: 2_000 }, (_, index) => `t${1 + index * 20}`);
  const { tensors, defaultedCount } = await encodedBy(store, tempoModel, requestOf([...ids, `t${items}`]));
  expect(defaultedCount).toBe(0);
  expect(tensors).toEqual([Float32Array.from([...ids.map((_, index) => 1 + index * 20), items])]);
  expect((await readdir(directory)).filter((name) => name.includes("importing"))).toEqual([]);
});
