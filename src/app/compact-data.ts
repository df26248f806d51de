import { join } from "node:path";
import { logSegments } from "../outcomes/outcomes.ts";
import { type Compaction, compactLog } from "../warehouse/warehouse.ts";
import { existingLog } from "./data-directory.ts";
import { withStorageSentences } from "./storage-failure.ts";

export type { Compaction } from "../warehouse/warehouse.ts";

/**
 * Writes the sealed segments of a data directory's log as Parquet below its `warehouse`.
 * @throws {SetlistError} NOT_FOUND where there is no such directory, or no log in it; UNAVAILABLE where it cannot be used.
 */
export async function compactDataDirectory(options: {
  readonly dataDir: string;
  readonly onProgress?: (done: number, of: number) => void;
}): Promise<Compaction> {
  const { dataDir, onProgress } = options;
  return withStorageSentences(dataDir, async () => {
    const log = existingLog(dataDir);
    return compactLog({
      segments: () => logSegments(log),
      warehouse: join(dataDir, "warehouse"),
      onProgress,
    });
  });
}
