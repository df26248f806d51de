/**
 * Who reads a store's files keeps them from being deleted meanwhile. The lock is the kernel's, taken through SQLite on an
 * empty file: shared by readers, which may be many and need not be allowed to write there, and it ends with the process
 * however that ends.
 */
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { SetlistError } from "../domain/error.ts";

interface Held {
  release(): void;
}

const sqliteBusy = 5;
/** Deleting takes milliseconds a segment; who still waits after this waits for something else. */
const waitMsMax = 60_000;
const pollMs = 20;

export async function makeReadersFile(root: string): Promise<void> {
  await (await open(join(root, "readers"), "a")).close();
}

/**
 * Holds the files of the store at `root` until `release`; of a store that is not there yet there are none to hold.
 * @throws {SetlistError} UNAVAILABLE where somebody deletes there for a minute.
 */
export async function shareReading(root: string): Promise<Held> {
  const path = join(root, "readers");
  if (!existsSync(path)) return { release: () => undefined };
  for (const began = performance.now(); ; await sleep(pollMs)) {
    const held = take(path, "BEGIN; SELECT count(*) FROM sqlite_schema", true);
    if (held !== undefined) return held;
    if (performance.now() - began > waitMsMax)
      throw new SetlistError("UNAVAILABLE", `files are being deleted in ${root}: try again`);
  }
}

/** Keeps readers out of the store at `root` until `release`; undefined where somebody reads there now. */
export function lockReaders(root: string): Held | undefined {
  return take(join(root, "readers"), "PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE", false);
}

function take(path: string, statement: string, readOnly: boolean): Held | undefined {
  const database = new DatabaseSync(path, { readOnly, timeout: 0 });
  try {
    database.exec(statement);
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
}
