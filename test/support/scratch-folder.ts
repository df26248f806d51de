/** Where the tests of one run write: a folder of its own, so that two runs share nothing, gone when it is over. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isAlive } from "./alive.ts";

/** Thrice what a whole run has been seen to have there at once. */
const bytesMin = 2 * 1024 ** 3;

/** Vitest's global setup; what it answers is done at the end. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = (await inMemory()) ?? (await scratchIn(tmpdir()));
  process.env["TMPDIR"] = folder;
  return () => remove(folder);
}

/** A disk is what most tests wait for, and no promise depends on it: what is synced is looked at with disks of our own. */
async function inMemory(): Promise<string | undefined> {
  try {
    const { bavail, bsize } = await statfs("/dev/shm");
    if (bavail * bsize < bytesMin) return undefined;
    const folder = await scratchIn("/dev/shm");
    const program = join(folder, "program");
    await writeFile(program, "#!/bin/sh\n", { mode: 0o755 });
    // Containers often have it mounted so that nothing in it can be run.
    const runs = await promisify(execFile)(program).then(
      () => true,
      () => false,
    );
    if (runs) return folder;
    await remove(folder);
  } catch {
    // There is none, or it is not ours to write to.
  }
  return undefined;
}

const prefix = "setlist-tests-";

async function scratchIn(place: string): Promise<string> {
  await removeLeft(place);
  const folder = await mkdtemp(join(place, `${prefix}${process.pid}-`));
  // PostgreSQL, which root may not run, has its folder in it.
  await chmod(folder, 0o755);
  return folder;
}

/** A run that was killed has left its folder: what is in memory would stay there. */
async function removeLeft(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await remove(join(place, name));
  }
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
