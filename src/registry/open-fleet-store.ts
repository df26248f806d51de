import { SetlistError } from "../domain/error.ts";
import type { ExperimentStore } from "../domain/experiment-store.ts";
import { emptyState, type StoreState } from "../domain/store-state.ts";
import { FleetStore, type FleetStoreOptions } from "./fleet-store.ts";
import { LastGoodCopy } from "./last-good-copy.ts";
import { connectionTo, type PostgresAddress, postgresAddress, reasonOf } from "./postgres-address.ts";
import { nothing, readStanding, type Standing } from "./postgres-revisions.ts";
import { areTablesMade, expectKnownTables, migrate } from "./postgres-tables.ts";

/**
 * Opens it; makes its tables where they do not exist.
 * @throws {SetlistError} UNAVAILABLE where the database cannot be reached and the data directory has no copy of what it
 *   said, or where a newer Setlist made its tables.
 */
export async function openFleetStore(options: FleetStoreOptions): Promise<ExperimentStore> {
  const { dataDir, onWarning } = options;
  const address = postgresAddress(options.url);
  const copy = new LastGoodCopy(dataDir, address.name, onWarning);
  try {
    return new FleetStore(options, address, copy, await firstLook(address));
  } catch (error) {
    if (error instanceof SetlistError) throw error;
    const state = copy.read();
    if (state !== undefined) return new FleetStore(options, address, copy, { ...nothing, state }, error);
    return unreachable(address, dataDir, error);
  }
}

/**
 * What it holds now, for whoever only reads and makes no tables; where it cannot be reached, the data directory's copy.
 * @throws {SetlistError} UNAVAILABLE where there is none either.
 */
export async function readFleetState({
  url,
  dataDir,
}: Pick<FleetStoreOptions, "url" | "dataDir">): Promise<StoreState> {
  const address = postgresAddress(url);
  const connection = connectionTo(address);
  try {
    await connection.client.connect();
    return (await areTablesMade(connection.client))
      ? (await readStanding(connection.client)).state
      : emptyState;
  } catch (error) {
    return (
      new LastGoodCopy(dataDir, address.name, () => undefined).read() ?? unreachable(address, dataDir, error)
    );
  } finally {
    connection.end();
  }
}

async function firstLook(address: PostgresAddress): Promise<Standing> {
  const connection = connectionTo(address);
  try {
    await connection.client.connect();
    await migrate(connection.client);
    await expectKnownTables(connection.client);
    return await readStanding(connection.client);
  } finally {
    connection.end();
  }
}

function unreachable({ name }: PostgresAddress, dataDir: string, cause: unknown): never {
  throw new SetlistError(
    "UNAVAILABLE",
    `the experiment store cannot be reached: PostgreSQL at ${name}: ${reasonOf(cause)}; and ${dataDir} has no copy of what it held`,
    { cause },
  );
}
