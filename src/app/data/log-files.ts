import type { LogFiles } from "../../domain/log-reading.ts";
import { logSegments } from "../../outcomes/outcomes.ts";
import { withLogFiles } from "../../warehouse/warehouse.ts";
import { foldersOf } from "./data-directory.ts";

/**
 * Calls `work` with the log of a data directory, which a server may be using, as Parquet files.
 * @param threads as `withLogFiles`.
 */
export async function withDataLogFiles<T>(
  dataDir: string,
  work: (files: LogFiles) => Promise<T>,
  threads?: number,
): Promise<T> {
  const { log, warehouse } = foldersOf(dataDir);
  return withLogFiles({ segments: () => logSegments(log), warehouse, threads }, work);
}
