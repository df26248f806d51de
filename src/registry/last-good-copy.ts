import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { moveDurably } from "../columnar/durable-files.ts";
import { messageOf } from "../domain/error.ts";
import type { StoreState } from "../domain/store-state.ts";
import { stateHash } from "./state-hash.ts";

const fileName = "experiments-copy.json";

interface Kept {
  /** Of which database it is a copy. */
  readonly database: string;
  readonly hash: string;
  readonly state: StoreState;
}

/**
 * The database, its host and name, whose experiments a server last served in this data directory; undefined where they
 * are its own. A copy that cannot be read is one, too.
 */
export function fleetOf(dataDir: string): string | undefined {
  const file = join(dataDir, fileName);
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as Kept).database;
  } catch {
    return "a PostgreSQL";
  }
}

/** What a fleet's store last said, in the data directory: a server can start from it while the database is gone. */
export class LastGoodCopy {
  readonly #file: string;
  readonly #database: string;
  readonly #onWarning: (warning: string) => void;
  #writing: Promise<void> = Promise.resolve();
  #next: StoreState | undefined;

  constructor(dataDir: string, database: string, onWarning: (warning: string) => void) {
    this.#file = join(dataDir, fileName);
    this.#database = database;
    this.#onWarning = onWarning;
  }

  /** Undefined where there is none, where it is another database's, or where it is damaged. */
  read(): StoreState | undefined {
    try {
      const { database, hash, state } = JSON.parse(readFileSync(this.#file, "utf8")) as Kept;
      return database === this.#database && hash === stateHash(state) ? state : undefined;
    } catch {
      return undefined;
    }
  }

  /** Replaces it, soon: of several that come while one is written, the last. */
  keep(state: StoreState): void {
    const isWriting = this.#next !== undefined;
    this.#next = state;
    if (!isWriting) this.#writing = this.#writing.then(() => this.#write());
  }

  /** Resolves once it is on the disk. */
  written(): Promise<void> {
    return this.#writing;
  }

  async #write(): Promise<void> {
    const state = this.#next;
    this.#next = undefined;
    if (state === undefined) return;
    // Processes of one server share the data directory.
    const draft = `${this.#file}.${process.pid}`;
    try {
      const kept: Kept = { database: this.#database, hash: stateHash(state), state };
      await writeFile(draft, JSON.stringify(kept));
      await moveDurably(draft, this.#file);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      const reason = messageOf(error);
      this.#onWarning(`the copy of the experiments in the data directory is not up to date: ${reason}`);
    }
  }
}
