import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { lockDirectory } from "../../src/outcomes/directory-lock.ts";
import { openTestLog } from "../support/outcomes-log.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const lockRoom = fileURLToPath(new URL("../../src/outcomes/directory-lock.ts", import.meta.url));

/** A process that holds the lock until it is killed. */
async function otherServer(directory: string) {
  const hold = `const { lockDirectory } = await import(${JSON.stringify(lockRoom)});
    await lockDirectory(${JSON.stringify(directory)}); console.log("held"); setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", hold], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  return {
    pid: child.pid,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test("a second server on one directory does not start, and is told who has it", async () => {
  const directory = await temporaryFolder();
  const other = await otherServer(directory);
  await expect(openTestLog(directory)).rejects.toMatchObject({
    code: "ABORTED",
    message: expect.stringMatching(
      new RegExp(`belongs to a running server, pid ${other.pid} on .+: stop that one`),
    ),
  });
  await other.kill();
});

test("a server that was killed leaves nothing in the way, even if another process has its pid now", async () => {
  const directory = await temporaryFolder();
  const other = await otherServer(directory);
  await other.kill();
  await writeFile(join(directory, "owner.json"), JSON.stringify({ pid: process.ppid, host: "here" }));
  const log = await openTestLog(directory);
  expect(JSON.parse(await readFile(join(directory, "owner.json"), "utf8"))).toMatchObject({
    pid: process.pid,
  });
  await log.close();
});

test("within one process too, a directory belongs to one log at a time", async () => {
  const directory = await temporaryFolder();
  const log = await openTestLog(directory);
  await expect(openTestLog(directory)).rejects.toThrow(`pid ${process.pid}`);
  await log.close();
  await (await openTestLog(directory)).close();
});

test("a start that fails gives the directory back", async () => {
  const directory = await temporaryFolder();
  await writeFile(join(directory, "0000000001.seg"), "no segment");
  await expect(openTestLog(directory)).rejects.toThrow("damaged");
  const lock = await lockDirectory(directory);
  await lock.release();
  expect((await readdir(directory)).sort()).toStrictEqual(["0000000001.seg", "lock"]);
});

test("where the holder has not said yet who it is, the refusal says that", async () => {
  const directory = await temporaryFolder();
  const lock = await lockDirectory(directory);
  await writeFile(join(directory, "owner.json"), "");
  await expect(lockDirectory(directory)).rejects.toThrow("whose pid is not written down yet");
  await lock.release();
});
