import type { DatabaseSync } from "node:sqlite";

/** All of it or none of it. Taken for writing at once, so that what `work` reads cannot change before it writes. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
