import { type DestinationStream, type Logger, pino, stdSerializers } from "pino";
import type { Clock } from "../domain/clock.ts";
import { SetlistError } from "../domain/error.ts";
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
      serializers: { err: told },
    },
    // Synchronous, so that the last lines before an exit are never lost.
    unfailing(destination ?? pino.destination({ fd: 1, sync: true })),
  );
}

/** What an error says. Where it stood in the code is told of those only that nobody expected. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  const { code } = error as NodeJS.ErrnoException;
  const isExpected = error instanceof SetlistError ? code !== "INTERNAL" : "syscall" in error;
  return isExpected ? { type, code, message } : { type, code, message, stack };
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
