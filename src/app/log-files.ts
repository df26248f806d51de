import { join } from "node:path";
import type { LogFiles } from "../domain/ports.ts";
import { logSegments } from "../outcomes/outcomes.ts";
import { withLogFiles } from "../warehouse/warehouse.ts";

/** Calls `work` with the log of a data directory, which a server may be using, as Parquet files. */
export async function withDataLogFiles<T>(
  dataDir: string,
  work: (files: LogFiles) => Promise<T>,
): Promise<T> {
  const log = join(dataDir, "log");
  return withLogFiles({ segments: () => logSegments(log), warehouse: join(dataDir, "warehouse") }, work);
}
