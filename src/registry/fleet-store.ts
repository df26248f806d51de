/** The experiment store of a fleet of servers: every revision, in one PostgreSQL, never overwritten. */

import type pg from "pg";
import type { Clock, Random } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
import type { Experiment } from "../domain/experiment.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import { counted } from "../domain/number-text.ts";
import type {
  KillSwitch,
  Revision,
  Staleness,
  StoreChange,
  StoreState,
  SurfaceDefault,
} from "../domain/store-state.ts";
import { applied, isEmpty } from "./applied.ts";
import { FollowedState } from "./followed-state.ts";
import type { LastGoodCopy } from "./last-good-copy.ts";
import { type PostgresAddress, reasonOf } from "./postgres-address.ts";
import { PostgresFollower } from "./postgres-follower.ts";
import { commit, PostgresQuestions, refusing } from "./postgres-questions.ts";
import {
  insertChange,
  type Kind,
  readHistory,
  readStanding,
  type Standing,
  standsStill,
} from "./postgres-revisions.ts";
import { channel, expectKnownTables, lock, migrate } from "./postgres-tables.ts";
import { stateHash } from "./state-hash.ts";
import { theSwitch } from "./switch-key.ts";

export interface FleetStoreOptions {
  /** As `postgresAddress` takes it. */
  readonly url: string;
  /** For the copy of what was last read. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly onWarning: (message: string, fields?: Record<string, unknown>) => void;
  /** The longest between two looks at the database where nothing notifies, ms. */
  readonly pollMs?: number;
}

/** Half of the second within which a change is known everywhere, since a pooler may swallow notifications. */
const defaultPollMs = 500;

/** Follows the database from what was last read of it; opened by `openFleetStore`. */
export class FleetStore implements ExperimentStore {
  readonly #options: FleetStoreOptions;
  readonly #address: PostgresAddress;
  readonly #copy: LastGoodCopy;
  readonly #followed: FollowedState;
  /** For writes and histories, beside the connection that follows. */
  readonly #questions: PostgresQuestions;
  readonly #follower: PostgresFollower;
  #standing: Standing;
  #lastWrite: Promise<unknown> = Promise.resolve();
  /** When what stands here was last seen to stand in the database, ms since 1970. */
  #seenAt: number;

  /** @param missed why the database could not be read; `standing` is then a copy. */
  constructor(
    options: FleetStoreOptions,
    address: PostgresAddress,
    copy: LastGoodCopy,
    standing: Standing,
    missed?: unknown,
  ) {
    this.#options = options;
    this.#address = address;
    this.#copy = copy;
    this.#standing = standing;
    this.#seenAt = options.clock.now();
    this.#followed = new FollowedState(standing.state);
    if (missed === undefined) copy.keep(standing.state);
    else this.#miss(missed);
    this.#questions = new PostgresQuestions(address);
    this.#follower = new PostgresFollower({
      address,
      pollMs: options.pollMs ?? defaultPollMs,
      random: options.random,
      prepare: migrate,
      look: (client) => this.#look(client),
      onLost: (error) => this.#miss(error),
    });
  }

  current(): StoreState {
    return this.#followed.state;
  }

  list(): readonly Experiment[] {
    return this.#followed.state.experiments;
  }

  get(id: string): Experiment | undefined {
    return this.list().find((one) => one.id === id);
  }

  async refresh(): Promise<StoreState> {
    await this.#follower.lookNow();
    return this.#followed.state;
  }

  stale(): Staleness | undefined {
    return this.#followed.stale;
  }

  onChange(listener: (state: StoreState) => void): () => void {
    return this.#followed.onChange(listener);
  }

  /** One after the other, also here: a connection each would only wait for the same lock. */
  write(who: string, change: (standing: StoreState) => StoreChange): Promise<StoreState> {
    const writing = this.#lastWrite.then(() => this.#write(who, change));
    this.#lastWrite = writing.catch(ignored);
    return writing;
  }

  history(id: string): Promise<readonly Revision<Experiment>[]> {
    return this.#history("experiment", id);
  }

  surfaceHistory(surface: string): Promise<readonly Revision<SurfaceDefault>[]> {
    return this.#history("surface", surface);
  }

  killSwitchHistory(): Promise<readonly Revision<KillSwitch>[]> {
    return this.#history("kill-switch", theSwitch);
  }

  async close(): Promise<void> {
    await this.#follower.close();
    await this.#questions.close();
    await this.#copy.written();
  }

  async #write(who: string, change: (standing: StoreState) => StoreChange): Promise<StoreState> {
    const written = await this.#questions.ask("nothing was changed", async (client) => {
      await client.query("BEGIN");
      try {
        return await this.#writeLocked(client, who, change);
      } catch (error) {
        await client.query("ROLLBACK").catch(ignored);
        throw error;
      }
    });
    // A look may have seen what somebody wrote after it before the commit was answered.
    if (written.position < this.#standing.position) await this.#follower.lookNow();
    else this.#take(written);
    return this.#followed.state;
  }

  async #writeLocked(
    client: pg.ClientBase,
    who: string,
    change: (standing: StoreState) => StoreChange,
  ): Promise<Standing> {
    await client.query(lock);
    await expectKnownTables(client);
    const standing = await readStanding(client);
    this.#refuseEmptied(standing);
    const made = refusing(() => change(standing.state));
    if (isEmpty(made)) {
      await client.query("ROLLBACK");
      return standing;
    }
    const state = refusing(() => applied(standing.state, made));
    const hash = stateHash(state);
    const at = this.#options.clock.now();
    const position = await insertChange(client, made, { who, at, hash, after: standing.position });
    await client.query("SELECT pg_notify($1, '')", [channel]);
    await commit(client);
    return { state, position, hash };
  }

  #history<T>(kind: Kind, id: string): Promise<readonly Revision<T>[]> {
    return this.#questions.ask("it has the history", (client) => readHistory<T>(client, kind, id));
  }

  /** A write of ours may be in place before a look that began earlier is answered: that look says nothing then. */
  async #look(client: pg.ClientBase): Promise<void> {
    const known = this.#standing;
    const at = this.#options.clock.now();
    const standing = (await standsStill(client, known)) ? known : await readStanding(client);
    if (known !== this.#standing) return this.#look(client);
    this.#refuseEmptied(standing);
    this.#seenAt = at;
    this.#take(standing);
  }

  /** A database that was made anew is a mistake, and no reason to end every experiment: a write would. */
  #refuseEmptied({ position }: Standing): void {
    const held = this.#standing.position;
    if (position > 0 || held === 0) return;
    throw new SetlistError(
      "UNAVAILABLE",
      `the experiment store holds nothing where it held ${counted(held, "revision")}: restore it, or restart the servers to begin anew`,
    );
  }

  #take(standing: Standing): void {
    const { stale } = this.#followed;
    const isNew = standing !== this.#standing;
    if (!isNew && stale === undefined) return;
    this.#standing = standing;
    this.#followed.take(standing.state);
    if (isNew) this.#copy.keep(standing.state);
    if (stale === undefined) return;
    const staleMs = this.#options.clock.now() - stale.since;
    this.#options.onWarning("the experiment store answers again", {
      database: this.#address.name,
      staleMs,
    });
  }

  #miss(error: unknown): void {
    const isFirst = this.#followed.stale === undefined;
    const reason = error instanceof SetlistError ? error.message : reasonOf(error);
    this.#followed.miss(this.#seenAt, new Error(reason));
    if (!isFirst) return;
    this.#options.onWarning("the experiment store cannot be read: what it last said is served, stale", {
      database: this.#address.name,
      reason,
    });
  }
}

/** For errors that somebody else is told of too: unheard, they would end the process. */
function ignored(): void {}
