import { Socket } from "node:net";
import pg from "pg";
import { invalidArgument, SetlistError } from "../domain/error.ts";

/** Until a connection stands, name look-up, TLS and password included, ms. */
const connectMsMax = 3_000;
/** Of one statement, in the server and on its way, ms: a few rows by their key. */
const statementMsMax = 3_000;
/** A writer that hangs with the lock in its hands is ended by the server, ms. */
const idleTransactionMsMax = 5_000;

/** Where a PostgreSQL is, and how to say so without its password. */
export interface PostgresAddress {
  /** `db.internal:5432/setlist`: for people. */
  readonly name: string;
  /** A connection that has not been made yet. */
  connection(): PostgresConnection;
}

export interface PostgresConnection {
  readonly client: pg.Client;
  /** Ends it at once, also where the other side does not answer. */
  abandon(): void;
}

/**
 * @param url `postgres://user:password@host:port/database`, perhaps with `?sslmode=verify-full&sslrootcert=FILE`. What it
 *   leaves out comes from PostgreSQL's own variables: `PGPASSWORD`, `PGHOST`, …
 * @throws {SetlistError} INVALID_ARGUMENT where it is none; UNAVAILABLE where a certificate it names cannot be read.
 *   Neither repeats the address.
 */
export function postgresAddress(url: string): PostgresAddress {
  const name = nameOf(url);
  const connection = (): PostgresConnection => {
    // One of our own, for pg gives up a connection only once the other side agreed.
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: url,
      application_name: "setlist",
      connectionTimeoutMillis: connectMsMax,
      statement_timeout: statementMsMax,
      lock_timeout: statementMsMax,
      query_timeout: statementMsMax + 500,
      idle_in_transaction_session_timeout: idleTransactionMsMax,
      keepAlive: true,
      stream: () => socket,
    });
    // What a lost connection has to say, its statements say too.
    client.on("error", () => undefined);
    return { client, abandon: () => socket.destroy() };
  };
  try {
    connection().abandon();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "it is not understood";
    throw new SetlistError("UNAVAILABLE", `PostgreSQL at ${name}: a file that its address names: ${reason}`);
  }
  return { name, connection };
}

function nameOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPostgres = parsed?.protocol === "postgres:" || parsed?.protocol === "postgresql:";
  if (parsed === undefined || !isPostgres || parsed.pathname.length < 2) {
    throw invalidArgument(
      "experimentStore.url: expected postgres://user:password@host:port/database (special characters of the password as %40), got something else, not shown for its password",
    );
  }
  return `${parsed.hostname}:${parsed.port === "" ? "5432" : parsed.port}${parsed.pathname}`;
}
