import { access, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { SetlistError } from "../domain/error.ts";
import { isWhole } from "./checksum.ts";
import { LmdbRows } from "./lmdb-rows.ts";
import { type PreparedFeatureStore, RequestEncoder } from "./request-encoder.ts";
import { worldFingerprint } from "./world-fingerprint.ts";
import { importWorld, removeDatabase } from "./world-import.ts";

export type { PreparedFeatureStore } from "./request-encoder.ts";
export { encodeServed } from "./served-rows.ts";

export interface FeatureStoreOptions {
  /** Where the imported rows are kept; this store's alone. */
  readonly directory: string;
  /** The folder with `users.parquet` and `items.parquet`, as docs/model-manifest.md describes them. */
  readonly world: string;
  /** Encoded rows kept in memory for each model and entity: of our models, an item takes 230 bytes, a user 340. */
  readonly cacheRowsMax: number;
  readonly onWarning?: ((warning: string) => void) | undefined;
}

/**
 * The file of a world's imported rows. The first time, and when the content of the Parquet files has changed, they are
 * imported; otherwise what was imported before is used, unless it is damaged.
 * @throws {SetlistError} INVALID_ARGUMENT where a Parquet file is missing or cannot hold features.
 */
export async function importedRows(options: Omit<FeatureStoreOptions, "cacheRowsMax">): Promise<string> {
  const { directory, world, onWarning = () => undefined } = options;
  await mkdir(directory, { recursive: true });
  const fingerprint = await worldFingerprint(world, join(directory, "world.fingerprint"));
  const file = `world-${fingerprint}.lmdb`;
  const path = join(directory, file);
  const found = await exists(path);
  if (found && !(await isWhole(path))) {
    onWarning(
      `${path} is damaged (it is not what its checksum says): its rows are imported again from ${world}`,
    );
    await removeDatabase(path);
    await importWorld(world, path, onWarning);
  }
  if (!found) await importWorld(world, path, onWarning);
  for (const name of await readdir(directory)) {
    // Worlds that are no longer served, and what an import left that was killed.
    if (name.startsWith("world-") && !name.startsWith(file)) await removeDatabase(join(directory, name));
  }
  return path;
}

/**
 * The store over a file of imported rows, which several processes may read. Give it the models with `prepare` before
 * the first request.
 */
export function openRows(
  path: string,
  { cacheRowsMax, onWarning = () => undefined }: Pick<FeatureStoreOptions, "cacheRowsMax" | "onWarning">,
): PreparedFeatureStore {
  return new RequestEncoder(new LmdbRows(path), cacheRowsMax, onWarning);
}

/** `openRows` over `importedRows`. @throws {SetlistError} as `importedRows`. */
export async function openFeatureStore(options: FeatureStoreOptions): Promise<PreparedFeatureStore> {
  return openRows(await importedRows(options), options);
}

/**
 * Opens what a server has imported and changes nothing, so that a server may be using it.
 * @throws {SetlistError} NOT_FOUND where this world was not imported here, or what was is damaged.
 */
export async function openImportedFeatureStore(options: FeatureStoreOptions): Promise<PreparedFeatureStore> {
  const { directory, world, cacheRowsMax, onWarning = () => undefined } = options;
  const fingerprint = await worldFingerprint(world, join(directory, "world.fingerprint"));
  const path = join(directory, `world-${fingerprint}.lmdb`);
  if ((await exists(path)) && (await isWhole(path)))
    return new RequestEncoder(new LmdbRows(path), cacheRowsMax, onWarning);
  throw new SetlistError(
    "NOT_FOUND",
    `the feature store ${path} is missing or damaged: a server's start with this data directory and the world ${world} imports it`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
