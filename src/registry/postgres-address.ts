import { Socket } from "node:net";
import pg from "pg";

/** Until a connection stands, name look-up, TLS and password included, ms. */
const connectMsMax = 3_000;
/** Of one statement, in the server and on its way, ms: a few rows by their key. */
const statementMsMax = 3_000;
/** A writer that hangs with the lock in its hands is ended by the server, ms. */
const idleTransactionMsMax = 5_000;
/** For the other side to agree that a connection is over, ms. */
const goodbyeMsMax = 500;

/** Where a PostgreSQL is. */
export interface PostgresAddress {
  /** `db.internal:5432/setlist`: for people, without its password. */
  readonly name: string;
  readonly config: pg.ClientConfig;
}

/** A connection of one's own. */
export interface PostgresConnection {
  readonly client: pg.Client;
  /** Ends it, soon also where the other side does not answer. */
  end(): void;
}

/**
 * @param url a checked `postgres://user:password@host:port/database`, perhaps with
 *   `?sslmode=verify-full&sslrootcert=FILE`. What it leaves out comes from PostgreSQL's variables: `PGUSER`, `PGPASSWORD`.
 */
export function postgresAddress(url: string): PostgresAddress {
  const { hostname, port, pathname } = new URL(url);
  const config = {
    connectionString: url,
    application_name: "setlist",
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
    lock_timeout: statementMsMax,
    query_timeout: statementMsMax + 500,
    idle_in_transaction_session_timeout: idleTransactionMsMax,
    keepAlive: true,
  };
  return { name: `${hostname}:${port || "5432"}${pathname}`, config };
}

/** @throws {Error} where a certificate that the address names cannot be read. */
export function connectionTo(address: PostgresAddress): PostgresConnection {
  // A socket that we hold: pg waits for the other side, which may be gone without a word.
  const socket = new Socket();
  const client = new pg.Client({ ...address.config, stream: () => socket });
  // What a lost connection has to say, its statements say too.
  client.on("error", () => undefined);
  let stands = false;
  client.once("connect", () => {
    stands = true;
  });
  return {
    client,
    end() {
      // A `connect` that is still waited for settles only where its socket fails.
      if (!stands) return void socket.destroy();
      client.end().catch(() => undefined);
      setTimeout(() => socket.destroy(), goodbyeMsMax).unref();
    },
  };
}

/** Why PostgreSQL could not be asked, in a few words that name no host and no user. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ECONNREFUSED") return "nobody listens there (ECONNREFUSED)";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `its host is not known (${code})`;
  if (code === "28P01" || code === "28000") return `it refuses this user or password (${code})`;
  if (code === "3D000") return "it has no such database (3D000)";
  if (code === "57P01" || code === "57P02" || code === "57P03") return `it starts or stops (${code})`;
  if (code === "ENOENT" || code === "EACCES")
    return `a certificate that its address names cannot be read (${code})`;
  if (typeof code === "string")
    return /^[0-9A-Z]{5}$/.test(code) ? `it answers ${code}` : `no connection (${code})`;
  return typeof message === "string" && /timeout/i.test(message)
    ? "it does not answer in time"
    : "the connection is gone";
}
