/** The server in one process: configuration in, `{ listen, close }` out. */
import { openAnswering, type Ports } from "./app/answering.ts";
import { compactingOver } from "./app/beside/background-compaction.ts";
import { configuredExperiments } from "./app/experiment-source.ts";
import { openGround } from "./app/ground.ts";
import { systemClock } from "./app/system-clock.ts";
import { type SetlistConfig, withUserIdKey } from "./config.ts";
import { createTelemetry, type Telemetry } from "./telemetry/telemetry.ts";

export interface App {
  readonly logger: Telemetry["logger"];
  /**
   * Opens the ports and says "ready" with the numbers it got.
   * @throws {SetlistError} UNAVAILABLE where a port cannot be had; everything is closed then.
   */
  listen(): Promise<Ports>;
  /** Rejects where the server cannot go on; it has to be closed all the same. */
  readonly failed: Promise<never>;
  /** Not ready at once, serving on for the drain delay, then what is in flight, then sync and seal. */
  close(): Promise<void>;
}

/**
 * The server in this one process. Loads and checks everything that serving needs; nothing listens yet.
 * @throws {SetlistError} a sentence that names the file or field, what was expected and what was found.
 */
export async function createApp(configured: SetlistConfig): Promise<App> {
  const config = withUserIdKey(configured);
  const telemetry = createTelemetry({ clock: systemClock, logLevel: config.logLevel });
  const { logger, metrics } = telemetry;
  const answering = await openAnswering(config, async (opened) => {
    const onWarning = (message: string, fields: Record<string, unknown> = {}): void =>
      logger.warn(fields, message);
    for (const warning of config.warnings) onWarning(warning);
    const ground = await openGround(config, opened, onWarning, telemetry.shippingMetrics);
    compactingOver(config, { clock: systemClock, logger, watch: telemetry.watchCompaction }, opened);
    telemetry.watchLog(ground.log);
    return {
      telemetry,
      ...ground,
      logTrouble: async () => ground.log.trouble(),
      experiments: configuredExperiments(config.experiments, onWarning),
      metrics,
      libraryOf: (own) => own,
      sharedPorts: false,
    };
  });
  return {
    logger,
    async listen() {
      const ports = await answering.listen(config);
      logger.info(ports, "ready");
      return ports;
    },
    failed: new Promise(() => undefined),
    close: () => answering.close(),
  };
}
