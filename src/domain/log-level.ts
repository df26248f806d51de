/** From the most severe. */
export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/** Of log lines, the least severe that is written. */
export type LogLevel = (typeof logLevels)[number];
