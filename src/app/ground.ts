import type { SetlistConfig } from "../config.ts";
import { importedRows } from "../features/features.ts";
import { type OpenedOutcomeLog, openOutcomeLog } from "../outcomes/outcomes.ts";
import type { ShippingMetrics } from "../telemetry/telemetry.ts";
import { LogShipping } from "./beside/log-shipping.ts";
import { foldersOf, usableDataDirectory } from "./data/data-directory.ts";
import { systemClock } from "./system-clock.ts";

/** What there is once in a data directory, however many processes answer over it. */
export interface Ground {
  readonly log: OpenedOutcomeLog;
  /** The file of the world's imported rows. */
  readonly rows: string;
}

/**
 * Makes the data directory where it does not exist, recovers the log, has it shipped where that is configured, and
 * imports the world.
 * @throws {SetlistError} a sentence that names the path, what was expected and what was found.
 */
export async function openGround(
  config: SetlistConfig,
  opened: AsyncDisposableStack,
  onWarning: (message: string, fields?: Record<string, unknown>) => void,
  shippingMetrics: () => ShippingMetrics,
): Promise<Ground> {
  const dataDir = await usableDataDirectory(config.dataDir);
  const folders = foldersOf(dataDir);
  const shipping =
    config.shipping.brokers.length === 0
      ? undefined
      : // Before the log, so that it is closed after it and sends the log's end.
        opened.adopt(
          new LogShipping({ dataDir, shipping: config.shipping, onWarning, metrics: shippingMetrics() }),
          (it) => it.close(),
        );
  const log = opened.adopt(
    await openOutcomeLog({ directory: folders.log, ...config.log, clock: systemClock, onWarning }),
    (it) => it.close(),
  );
  shipping?.begin(log);
  const rows = await importedRows({ directory: folders.features, world: config.world, onWarning });
  return { log, rows };
}
