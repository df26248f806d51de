import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFolder } from "./folder-lock.ts";

/** One that is younger may not be locked yet. */
const abandonedAfterMs = 60_000;

/**
 * A folder for as long as `work` takes. What is in it can be as large as a log, and whoever works with it is killed by a
 * server's stop or by Ctrl-C: so it is locked, and the next one of the same purpose removes those that nobody locks.
 */
export async function withTemporaryFolder<T>(
  purpose: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const prefix = `setlist-${purpose}-`;
  await removeAbandoned(prefix);
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const lock = lockFolder(folder);
  try {
    return await work(folder);
  } finally {
    lock.release();
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandoned(prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (name.startsWith(prefix)) await removeUnlocked(join(tmpdir(), name)).catch(() => undefined);
  }
}

/** @throws where somebody has it, or removes it at the same time. */
async function removeUnlocked(folder: string): Promise<void> {
  const { uid, mtimeMs } = await stat(folder);
  if (uid !== process.getuid?.() || Date.now() - mtimeMs < abandonedAfterMs) return;
  lockFolder(folder).release();
  await rm(folder, { recursive: true, force: true });
}
