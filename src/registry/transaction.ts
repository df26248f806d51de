import type { DatabaseSync } from "node:sqlite";
import { SetlistError } from "../domain/error.ts";

/**
 * All of it or none of it. Taken for writing at once, so that what `work` reads cannot change before it writes.
 * @throws {SetlistError} UNAVAILABLE where SQLite cannot write; what `work` throws.
 */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec("BEGIN IMMEDIATE");
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After a full disk SQLite has mostly rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    const reason = reasons.get(((error as { errcode?: number }).errcode ?? 0) % 256);
    if (reason === undefined) throw error;
    throw new SetlistError(
      "UNAVAILABLE",
      `the experiment store cannot be written now: ${reason}; nothing was changed`,
      { cause: error },
    );
  }
}

/** By the primary code, in the lowest byte of an extended one (https://sqlite.org/rescode.html): what is no fault of ours. */
const reasons: ReadonlyMap<number, string> = new Map([
  [5, "another process holds it"],
  [8, "it may only be read"],
  [10, "the disk failed"],
  [11, "its file is damaged"],
  [13, "the disk is full"],
  [14, "its file cannot be opened"],
  [26, "its file is no store"],
]);
