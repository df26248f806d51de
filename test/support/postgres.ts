/**
 * A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a free port of the loopback, made with
 * Debian's `postgresql` package.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);
const packaged = "/usr/lib/postgresql";
const user = "setlist";
/** In every address of this server, so that a test can look for where it must not be. */
export const postgresPassword = "pw-that-nobody-may-read";

export interface PostgresServer {
  /** Makes an empty database and answers its address, password included. */
  newDatabase(): Promise<string>;
  /** `immediate` is how a crash looks to clients; either way `start` brings it back on the same port. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

/** Undefined where a server can be started, else what is missing. */
export function missingPostgres(): string | undefined {
  if (binaries() !== undefined) return undefined;
  return `PostgreSQL is not installed in ${packaged} (apt-get install postgresql)`;
}

/** The folder of Debian's newest PostgreSQL here, undefined where there is none. */
function binaries(): string | undefined {
  const versions = existsSync(packaged) ? readdirSync(packaged) : [];
  return versions
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => join(packaged, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
}

/** @throws {Error} with what is missing, or PostgreSQL's own words. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries();
  if (bin === undefined) throw new Error(missingPostgres());
  const folder = await mkdtemp(join(tmpdir(), "setlist-postgres-"));
  const data = join(folder, "data");
  const as = unprivileged();
  const command = (name: string, ...args: string[]) => run(join(bin, name), args, { ...as, cwd: folder });
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, postgresPassword);
  await mkdir(data);
  if (as.uid !== undefined) {
    for (const path of [folder, data, passwordFile]) await chown(path, as.uid, as.gid ?? as.uid);
  }
  await command(
    "initdb",
    ...["--pgdata", data, "--username", user, "--pwfile", passwordFile, "--auth", "scram-sha-256"],
    ...["--no-locale", "--encoding", "UTF8", "--no-sync"],
  );
  const port = await freePort();
  // Nothing of a test outlives it, so nothing needs the disk.
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
  const start = async (): Promise<void> => {
    await command("pg_ctl", "start", "-w", "-D", data, "-l", join(folder, "log"), "-o", settings).catch(
      (error: unknown) => {
        const log = join(folder, "log");
        const words = existsSync(log) ? readFileSync(log, "utf8") : "";
        throw new Error(`PostgreSQL did not start: ${words}`, { cause: error });
      },
    );
  };
  const stop = async (mode: "fast" | "immediate"): Promise<void> => {
    await command("pg_ctl", "stop", "-w", "-m", mode, "-D", data);
  };
  const isRunning = (): boolean => existsSync(join(data, "postmaster.pid"));
  // It is no child of ours: it would live on where this process ends before `remove`.
  const stopWithUs = (): void => {
    if (isRunning()) execFileSync(join(bin, "pg_ctl"), ["stop", "-m", "immediate", "-D", data], as);
  };
  process.once("exit", stopWithUs);
  const addressOf = (database: string): string =>
    `postgres://${user}:${postgresPassword}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  await start();
  return {
    start,
    stop,
    async newDatabase() {
      databases += 1;
      const name = `test${databases}`;
      const client = new pg.Client({ connectionString: addressOf("postgres") });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return addressOf(name);
    },
    async remove() {
      if (isRunning()) await stop("immediate");
      process.off("exit", stopWithUs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root: there it runs as the user that its package makes. */
function unprivileged(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [, , uid, gid] =
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .find(([name]) => name === "postgres") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("no user postgres to run PostgreSQL as");
  return { uid: Number(uid), gid: Number(gid) };
}
