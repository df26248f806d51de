import { type DestinationStream, type Logger, pino } from "pino";
import type { Clock } from "../domain/ports.ts";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** One JSON object a line: `level` by name, `time` in UTC with milliseconds, `msg`, then the fields. */
export function createLogger(options: {
  clock: Clock;
  logLevel: LogLevel;
  destination?: DestinationStream;
}): Logger {
  const { clock, logLevel, destination } = options;
  return pino(
    {
      level: logLevel,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before an exit are never lost.
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
