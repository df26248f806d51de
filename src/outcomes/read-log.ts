import type { LogRecord } from "../domain/outcome-log.ts";
import { corruptionError } from "./corruption.ts";
import { batchesOf } from "./segment-batches.ts";
import type { SegmentFile } from "./segment-file.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

/**
 * Every record of the log in the order in which it was written: sealed segments, then the live one. Safe beside a
 * server that writes: the records are those of the moment at which their segment is opened, and what is still being
 * written at the end of the live one is quietly left out.
 * @throws {SetlistError} at a damaged record, naming segment, offset and record.
 */
export function readLog(directory: string): AsyncIterable<LogRecord> {
  return {
    [Symbol.asyncIterator]() {
      const batches = readLogBatches(directory);
      let batch: readonly LogRecord[] = [];
      let at = 0;
      const next = async (): Promise<IteratorResult<LogRecord>> => {
        const more = await batches.next();
        if (more.done === true) return { done: true, value: undefined };
        batch = more.value;
        at = 1;
        return { done: false, value: batch[0] as LogRecord };
      };
      return {
        // No async function a record: a resolved promise is three times as cheap.
        next: () =>
          at < batch.length ? Promise.resolve({ done: false, value: batch[at++] as LogRecord }) : next(),
        return: async () => {
          await batches.return(undefined);
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** As `readLog`, some thousands of records at a time: for whoever folds millions of them. No batch is empty. */
export async function* readLogBatches(directory: string): AsyncGenerator<readonly LogRecord[], undefined> {
  const { segments, wrong } = await numberedSegments(directory);
  if (wrong !== undefined) throw corruptionError(directory, wrong);
  for (const file of segments) {
    yield* readSegment(file, directory);
  }
}

async function* readSegment(
  file: SegmentFile,
  directory: string,
): AsyncGenerator<readonly LogRecord[], void> {
  const scan = await SegmentScan.open(file, directory);
  // The spare segment of a server that was closed in the meantime: it held nothing.
  if (scan === undefined) return;
  yield* batchesOf(scan);
  if (scan.fault?.damage === "corrupt") {
    throw corruptionError(directory, { segment: scan.file.name, ...scan.fault });
  }
}
