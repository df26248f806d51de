import type { LogSegment } from "../../src/domain/log-reading.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";

/** Records as the one sealed segment of a log. */
export function segmentsOf(records: readonly LogRecord[]): () => Promise<readonly LogSegment[]> {
  const segment: LogSegment = {
    name: "0000000001",
    sealed: true,
    salt: async () => 1,
    async *read() {
      yield [...records];
    },
    size: async () => 0,
    remove: async () => undefined,
  };
  return async () => [segment];
}
