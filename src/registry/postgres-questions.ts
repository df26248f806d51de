import pg from "pg";
import { SetlistError } from "../domain/error.ts";
import { type PostgresAddress, reasonOf } from "./postgres-address.ts";

const connectionsMax = 2;
const connectionIdleMsMax = 10_000;

/** Connections for what is asked now and then, and one error for whatever keeps it from being answered. */
export class PostgresQuestions {
  readonly #pool: pg.Pool;

  constructor({ config }: PostgresAddress) {
    this.#pool = new pg.Pool({ ...config, max: connectionsMax, idleTimeoutMillis: connectionIdleMsMax });
    // Of an idle connection that was lost: the pool makes another.
    this.#pool.on("error", ignored);
  }

  /** @throws what `work` refused; UNAVAILABLE, ending in `otherwise`, where the database could not be asked. */
  async ask<T>(otherwise: string, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    let broken = true;
    try {
      client = await this.#pool.connect();
      // Lost while it is ours: its statements say so too.
      client.on("error", ignored);
      const answer = await work(client);
      broken = false;
      return answer;
    } catch (error) {
      if (error instanceof Refusal) {
        broken = false;
        throw error.cause;
      }
      if (error instanceof SetlistError) throw error;
      const cause = error instanceof Unsure ? error.cause : error;
      const end =
        error instanceof Unsure ? "whether it was changed is not known: look before trying again" : otherwise;
      throw new SetlistError(
        "UNAVAILABLE",
        `the experiment store cannot be asked now: ${reasonOf(cause)}; ${end}`,
        { cause },
      );
    } finally {
      client?.off("error", ignored);
      client?.release(broken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

/** What `work` throws is its own refusal, within a question: the database is well. */
export function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refusal("refused", { cause: error });
  }
}

/** Ends a transaction, within a question: one that is not answered may have been kept. */
export async function commit(client: pg.ClientBase): Promise<void> {
  try {
    await client.query("COMMIT");
  } catch (error) {
    throw new Unsure("the commit was not answered", { cause: error });
  }
}

class Refusal extends Error {}

class Unsure extends Error {}

function ignored(): void {}
