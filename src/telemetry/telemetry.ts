/** Logs and metrics: what the server says about itself to whoever runs it. */
import type { Logger } from "pino";
import type { Clock, MetricsSource, RankObserver, RequestObserver } from "../domain/ports.ts";
import { createLogger, type LogLevel } from "./logger.ts";
import { createMetrics } from "./metrics.ts";

export type { LogLevel } from "./logger.ts";

export interface Telemetry {
  readonly logger: Logger;
  /** Hand this to serving: it counts rankings and outcomes, and logs what had to be answered with a fallback. */
  readonly observer: RankObserver;
  /** Hand this to the transports: it counts their answers. */
  readonly requests: RequestObserver;
  readonly metrics: MetricsSource;
}

/** @param options.destination where log lines go, one JSON object each; standard output where absent. */
export function createTelemetry(options: {
  clock: Clock;
  logLevel: LogLevel;
  destination?: { write(line: string): void };
}): Telemetry {
  const logger = createLogger(options);
  const { source, ranks, requests } = createMetrics();
  return {
    logger,
    requests,
    metrics: source,
    observer: {
      ranked: ranks.ranked,
      outcomes: ranks.outcomes,
      fellBack(reason, requestId, error) {
        // The counter says how often; one line a request would fill the disk during an outage.
        logger.debug({ requestId, reason, err: error }, "ranking fell back");
      },
      impressionDropped(requestId, error) {
        ranks.impressionDropped();
        logger.error({ requestId, err: error }, "impression was not logged; its answer left nevertheless");
      },
    },
  };
}
