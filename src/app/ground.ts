import { join } from "node:path";
import type { SetlistConfig } from "../config.ts";
import { importedRows } from "../features/features.ts";
import { type OpenedOutcomeLog, openOutcomeLog } from "../outcomes/outcomes.ts";
import { usableDataDirectory } from "./data-directory.ts";
import { systemClock } from "./system-clock.ts";

/** What there is once in a data directory, however many processes answer over it. */
export interface Ground {
  readonly log: OpenedOutcomeLog;
  /** The file of the world's imported rows. */
  readonly rows: string;
}

/**
 * Makes the data directory where it does not exist, recovers the log and imports the world.
 * @throws {SetlistError} a sentence that names the path, what was expected and what was found.
 */
export async function openGround(
  config: SetlistConfig,
  opened: AsyncDisposableStack,
  onWarning: (message: string, fields?: Record<string, unknown>) => void,
): Promise<Ground> {
  const dataDir = await usableDataDirectory(config.dataDir);
  const log = opened.adopt(
    await openOutcomeLog({ directory: join(dataDir, "log"), ...config.log, clock: systemClock, onWarning }),
    (it) => it.close(),
  );
  const rows = await importedRows({ directory: join(dataDir, "features"), world: config.world, onWarning });
  return { log, rows };
}
