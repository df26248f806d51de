/**
 * One server a directory. The lock is the kernel's, taken through SQLite on an empty file: it ends with the process
 * however that ends, whatever becomes of its pid, and holds between containers that share a volume, where a pid means
 * nothing. A file beside it says who holds it, for people.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SetlistError } from "../domain/error.ts";

export interface DirectoryLock {
  release(): Promise<void>;
}

const sqliteBusy = 5;

/** @throws {SetlistError} ABORTED where another server holds it, naming its pid. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const ownerPath = join(directory, "owner.json");
  const database = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
  try {
    // The transaction is never written, only held, so the file stays empty.
    database.exec("PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy)
      throw await alreadyHeld(directory, ownerPath, error);
    throw new SetlistError("INTERNAL", `cannot lock ${directory}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  await writeFile(ownerPath, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`);
  return {
    async release() {
      // For people only: a disk that refuses keeps nobody from the lock.
      await rm(ownerPath, { force: true }).catch(() => undefined);
      database.close();
    },
  };
}

async function alreadyHeld(directory: string, ownerPath: string, cause: unknown): Promise<SetlistError> {
  const owner = await readOwner(ownerPath);
  return new SetlistError(
    "ABORTED",
    `${directory} belongs to a running server, ${owner}: stop that one first, or give this one a data directory of its own`,
    { cause },
  );
}

/** The holder writes its pid just after it got the lock: in between there is nothing to read. */
async function readOwner(path: string): Promise<string> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, "utf8")) as { pid: number; host: string };
    return `pid ${pid} on ${host}`;
  } catch {
    return "whose pid is not written down yet";
  }
}
