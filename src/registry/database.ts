import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, SetlistError } from "../domain/error.ts";
import { busyTimeoutMs, transaction } from "./transaction.ts";

/** Of the tables below; a store with a higher one was written by a newer Setlist. */
const schemaVersion = 2;
const retryMs = 5;
/** The primary code, in the lowest byte of an extended one (https://sqlite.org/rescode.html). */
const sqliteBusy = 5;

/** `document` is JSON, an experiment's ranges and phase included; `at` is ms since 1970, UTC. */
const columns = `
    revision INTEGER NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    document TEXT NOT NULL`;

/** By the version that each leads to. A revision that version 1 kept has no hash. */
const steps = [
  `CREATE TABLE revisions (experiment TEXT NOT NULL,${columns},
    PRIMARY KEY (experiment, revision)) STRICT;`,
  `ALTER TABLE revisions ADD COLUMN hash TEXT;
  CREATE TABLE surface_revisions (surface TEXT NOT NULL,${columns}, hash TEXT NOT NULL,
    PRIMARY KEY (surface, revision)) STRICT;
  CREATE TABLE kill_switch_revisions (switch TEXT NOT NULL,${columns}, hash TEXT NOT NULL,
    PRIMARY KEY (switch, revision)) STRICT;`,
];

/**
 * Opens the database, with its tables. WAL: readers in other processes go on while the server writes; every commit is
 * synced (`synchronous = FULL`), since an experiment must not change back after a power cut. What is committed goes into
 * the file itself at once, so that a copy of the file alone has all of it.
 * @throws {SetlistError} UNAVAILABLE with the file and the reason.
 */
export function openDatabase(file: string, readOnly: boolean): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (!readOnly) mkdirSync(dirname(file), { recursive: true });
    database = new DatabaseSync(file, { readOnly, timeout: busyTimeoutMs });
    if (!readOnly) prepare(database);
    const version = versionOf(database);
    if (version === schemaVersion) return database;
    throw new Error(
      `its tables are of version ${version}, this Setlist knows ${schemaVersion}: ${version > schemaVersion ? "use the newer one" : "start `setlist serve` over it once, which brings them up to date"}`,
    );
  } catch (error) {
    database?.close();
    const reason = messageOf(error);
    throw new SetlistError("UNAVAILABLE", `the experiment store ${file} cannot be opened: ${reason}`, {
      cause: error,
    });
  }
}

function prepare(database: DatabaseSync): void {
  writeAhead(database);
  database.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1;");
  // What a killed process committed last may still stand beside the file.
  database.exec("PRAGMA wal_checkpoint(PASSIVE)");
  if (versionOf(database) >= schemaVersion) return;
  // Another process may be here too: whoever comes second finds the tables made.
  transaction(database, () => {
    const version = versionOf(database);
    for (const step of steps.slice(version)) database.exec(step);
    if (version < schemaVersion) database.exec(`PRAGMA user_version = ${schemaVersion}`);
  });
}

/** While another writes, SQLite refuses a change of the mode at once (SQLITE_BUSY): several that open a new store collide. */
function writeAhead(database: DatabaseSync): void {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      const isBusy = ((error as { errcode?: number }).errcode ?? 0) % 256 === sqliteBusy;
      if (!isBusy || performance.now() > until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
