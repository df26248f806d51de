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

/** Makes a folder and what is missing above it. */
export async function makeDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await sync(dirname(made));
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
