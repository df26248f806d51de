/** Logs and metrics: what the server says about itself to whoever runs it. */
import type { Logger } from "pino";
import type { Clock, MetricsSource, RankObserver, RequestObserver } from "../domain/ports.ts";
import { createLogger, type LogLevel } from "./logger.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { nowAndThen } from "./now-and-then.ts";

export type { LogLevel } from "./logger.ts";

export interface Telemetry {
  readonly logger: Logger;
  /** Hand this to serving: it counts rankings and outcomes, and logs what had to be answered with a fallback. */
  readonly observer: RankObserver;
  /** Hand this to the transports: it counts their answers. */
  readonly requests: RequestObserver;
  readonly metrics: MetricsSource;
  /** Hand it the scorer: the metrics then say on what each model runs. */
  readonly watchModels: Metrics["watchModels"];
}

/** @param options.destination where log lines go, one JSON object each; standard output where absent. */
export function createTelemetry(options: {
  clock: Clock;
  logLevel: LogLevel;
  destination?: { write(line: string): void };
}): Telemetry {
  const logger = createLogger(options);
  const { source, ranks, requests, watchModels } = createMetrics();
  // The counters say how often.
  const seldom = nowAndThen(options.clock);
  return {
    logger,
    requests,
    metrics: source,
    watchModels,
    observer: {
      ranked: ranks.ranked,
      outcomes: ranks.outcomes,
      fellBack(reason, requestId, error) {
        seldom(reason, (heldBack) =>
          logger.warn({ requestId, reason, heldBack, err: error }, "ranking fell back"),
        );
      },
      impressionDropped(requestId, error) {
        ranks.impressionDropped();
        seldom("dropped", (heldBack) =>
          logger.error(
            { requestId, heldBack, err: error },
            "impression was not logged; its answer left nevertheless",
          ),
        );
      },
    },
  };
}
