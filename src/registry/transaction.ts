import type { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { SetlistError } from "../domain/error.ts";

/** How long to wait for another process's write, ms; a sync takes a few. */
export const busyTimeoutMs = 5_000;
const againMs = 5;

/** The same without holding up the thread while another process writes. */
export async function awaitedTransaction<T>(database: DatabaseSync, work: () => T): Promise<T> {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return transaction(database, work, 0);
    } catch (error) {
      if (!(error instanceof StoreBusy) || performance.now() > until) throw error;
      await setTimeout(againMs);
    }
  }
}

/**
 * All of it or none of it. Taken for writing at once, so that what `work` reads cannot change before it writes.
 * @throws {SetlistError} UNAVAILABLE where SQLite cannot write; what `work` throws.
 */
export function transaction<T>(database: DatabaseSync, work: () => T, waitMs = busyTimeoutMs): T {
  try {
    database.exec(`PRAGMA busy_timeout = ${waitMs}`);
    database.exec("BEGIN IMMEDIATE");
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After a full disk SQLite has mostly rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    const code = ((error as { errcode?: number }).errcode ?? 0) % 256;
    const reason = reasons.get(code);
    if (reason === undefined) throw error;
    throw code === sqliteBusy ? new StoreBusy(reason, error) : new StoreUnwritable(reason, error);
  }
}

class StoreUnwritable extends SetlistError {
  constructor(reason: string, cause: unknown) {
    super("UNAVAILABLE", `the experiment store cannot be written now: ${reason}; nothing was changed`, {
      cause,
    });
  }
}

class StoreBusy extends StoreUnwritable {}

const sqliteBusy = 5;

/** By the primary code, in the lowest byte of an extended one (https://sqlite.org/rescode.html): what is no fault of ours. */
const reasons: ReadonlyMap<number, string> = new Map([
  [sqliteBusy, "another process holds it"],
  [8, "it may only be read"],
  [10, "the disk failed"],
  [11, "its file is damaged"],
  [13, "the disk is full"],
  [14, "its file cannot be opened"],
  [26, "its file is no store"],
]);
