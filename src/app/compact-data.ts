import { join } from "node:path";
import { type Compaction, compactLog } from "../outcomes/outcomes.ts";
import { existingDataDirectory } from "./data-directory.ts";

export type { Compaction } from "../outcomes/outcomes.ts";

/**
 * Writes the sealed segments of a data directory's log as Parquet below its `warehouse`.
 * @throws {SetlistError} NOT_FOUND where there is no such directory.
 */
export async function compactDataDirectory(options: {
  readonly dataDir: string;
  readonly onProgress?: (done: number, of: number) => void;
}): Promise<Compaction> {
  const dataDir = existingDataDirectory(options.dataDir);
  return compactLog({
    directory: join(dataDir, "log"),
    warehouse: join(dataDir, "warehouse"),
    onProgress: options.onProgress,
  });
}
