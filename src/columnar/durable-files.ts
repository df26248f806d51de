/** Files and folders that are still there after a power cut. */
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Moves a finished file to its place; a file that stands there is replaced whole. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await sync(from);
  await makeDurably(dirname(to));
  await rename(from, to);
  await sync(dirname(to));
}

/** Removes a file where there is one, and a power cut does not bring it back. */
export async function removeDurably(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) return;
  await rm(path);
  await sync(dirname(path));
}

/**
 * Makes a folder and what is missing above it, from the top down: where one cannot be made, as in /proc, Node's
 * `recursive` tries for ever.
 */
export async function makeDurably(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const parent = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === folder) throw error;
    await makeDurably(parent);
    await mkdir(folder).catch(async (again: unknown) => {
      // Another process may have been faster.
      if (!(await isFolder(folder))) throw again;
    });
  }
  await sync(dirname(folder));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
