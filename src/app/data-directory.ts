import { existsSync } from "node:fs";
import { SetlistError } from "../domain/error.ts";

/** Reading commands make nothing: a directory that is not there is a typing mistake, not an empty log. */
export function existingDataDirectory(dataDir: string): string {
  if (existsSync(dataDir)) return dataDir;
  throw new SetlistError(
    "NOT_FOUND",
    `no data directory at ${dataDir}: name the one that the server uses with --data-dir`,
  );
}
