import type pg from "pg";
import type { Random } from "../domain/clock.ts";
import { connectionTo, type PostgresAddress, type PostgresConnection } from "./postgres-address.ts";
import { channel } from "./postgres-tables.ts";

/** Between two tries to connect, ms: doubled with every failure. Drawn evenly below it, so that a fleet spreads. */
const retryMsMin = 100;
const retryMsMax = 2_000;

export interface FollowOptions {
  readonly address: PostgresAddress;
  /** The longest between two looks where nothing notifies, ms. */
  readonly pollMs: number;
  readonly random: Random;
  /** Asked once of every connection, before its first look. What it throws is a lost connection. */
  prepare(client: pg.Client): Promise<void>;
  /** Reads what is new. What it throws is a lost connection. */
  look(client: pg.Client): Promise<void>;
  /** Once for each connection that was lost or could not be made. */
  onLost(error: unknown): void;
}

/**
 * A standing connection that looks whenever it is notified, and every `pollMs` for what no notification told: a pooler
 * may swallow them, and one that comes while no connection stands is gone. Connects anew for ever.
 */
export class PostgresFollower {
  readonly #options: FollowOptions;
  readonly #ended: Promise<void>;
  #connection: PostgresConnection | undefined;
  #closed = false;
  /** Since the last look that went well. */
  #failures = 0;
  #news = false;
  /** Who waits for the next look, and for the one under way. */
  #waiting: (() => void)[] = [];
  #answering: (() => void)[] = [];
  #wake: () => void = () => undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#ended = this.#follow();
  }

  /** Resolves after a look that begins from now on, or at once where there can be none. */
  lookNow(): Promise<void> {
    if (this.#failures > 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#news = true;
      this.#wake();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection?.end();
    this.#wake();
    await this.#ended;
  }

  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#stand();
      } catch (error) {
        if (!this.#closed) this.#options.onLost(error);
      }
      this.#failures += 1;
      this.#answer(this.#answering);
      this.#answer(this.#waiting);
      const bound = Math.min(retryMsMin * 2 ** Math.min(this.#failures - 1, 10), retryMsMax);
      await this.#pause(this.#options.random.next() * bound);
    }
  }

  /** One connection, from its making to its end. */
  async #stand(): Promise<void> {
    const { address, pollMs, prepare, look } = this.#options;
    const connection = connectionTo(address);
    const { client } = connection;
    this.#connection = connection;
    let lost: unknown;
    client.on("notification", () => {
      this.#news = true;
      this.#wake();
    });
    client.on("error", (error) => {
      lost ??= error;
      this.#wake();
    });
    try {
      await client.connect();
      await prepare(client);
      await client.query(`LISTEN ${channel}`);
      while (!this.#closed && lost === undefined) {
        this.#news = false;
        this.#answering = this.#waiting.splice(0);
        await look(client);
        this.#failures = 0;
        this.#answer(this.#answering);
        if (!this.#news && lost === undefined) await this.#pause(pollMs);
      }
      if (lost !== undefined) throw lost;
    } finally {
      connection.end();
    }
  }

  #answer(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  /** Until something wakes it, at the longest. */
  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
