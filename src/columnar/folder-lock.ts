import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SetlistError } from "../domain/error.ts";

const sqliteBusy = 5;

/**
 * One writer a folder. The lock is the kernel's, taken through SQLite on an empty file, so that it ends with the process
 * however that ends.
 * @throws {SetlistError} ABORTED where another process holds it.
 */
export function lockFolder(folder: string): { release(): void } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, "lock"), { timeout: 0 });
    database.exec("PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    const busy = (error as { errcode?: number }).errcode === sqliteBusy;
    throw new SetlistError(
      busy ? "ABORTED" : "INTERNAL",
      busy
        ? `another process is writing to ${folder}: wait until it has ended, or stop it`
        : `cannot lock ${folder}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
