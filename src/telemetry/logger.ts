import { type DestinationStream, type Logger, pino } from "pino";
import type { Clock } from "../domain/clock.ts";
import type { LogLevel } from "../domain/log-level.ts";

/** One JSON object a line: `level` by name, `time` in UTC with milliseconds, `msg`, then the fields. */
export function createLogger(options: {
  clock: Clock;
  logLevel: LogLevel;
  /** Of several processes that write lines, this one's number: a field of every line. */
  process?: number | undefined;
  destination?: DestinationStream;
}): Logger {
  const { clock, logLevel, destination } = options;
  return pino(
    {
      level: logLevel,
      base: options.process === undefined ? null : { process: options.process },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before an exit are never lost.
    unfailing(destination ?? pino.destination({ fd: 1, sync: true })),
  );
}

/** A line that cannot be written (a full disk, a closed pipe) is lost: saying something must never break doing it. */
function unfailing(destination: DestinationStream): DestinationStream {
  return {
    write(line) {
      try {
        destination.write(line);
      } catch {
        // Nowhere is left to say so.
      }
    },
  };
}
