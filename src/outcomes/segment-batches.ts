import type { LogRecord } from "../domain/outcome-log.ts";
import { readRecord } from "./record-codec.ts";
import type { SegmentScan } from "./segment-scan.ts";

/**
 * The records of one segment, some dozens at a time, up to its end or its fault: what a fault means is the caller's to
 * say, from `scan.fault`. No batch is empty. The scan is closed afterwards, however it ends.
 */
export async function* batchesOf(scan: SegmentScan): AsyncGenerator<readonly LogRecord[], void> {
  try {
    for (let more = true; more; ) {
      const records: LogRecord[] = [];
      more = await scan.next((buffer, start, end) => records.push(readRecord(buffer, start, end)));
      if (records.length > 0) yield records;
    }
  } finally {
    await scan.close();
  }
}
