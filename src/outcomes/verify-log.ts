import type { Corruption } from "./corruption.ts";
import { readRecord } from "./record-codec.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

/** What is in a log, how many bytes at torn tails the next start will cut, and every damage. */
export interface LogVerification {
  readonly impressions: number;
  readonly outcomes: number;
  /** Comparisons with shadow models and other arms; undefined where there are none. */
  readonly shadows?: number;
  readonly truncatedBytes: number;
  readonly corrupt: readonly Corruption[];
}

/**
 * Checks and decodes every record, behind damage too; changes nothing. Safe beside a server that writes: what is being
 * written at that moment may count as a torn tail.
 */
export async function verifyLog(directory: string): Promise<LogVerification> {
  const { segments, wrong } = await numberedSegments(directory);
  let shadows = 0;
  const total = {
    impressions: 0,
    outcomes: 0,
    truncatedBytes: 0,
    corrupt: wrong === undefined ? [] : [wrong],
  };
  for (const file of segments) {
    const scan = await SegmentScan.open(file, directory);
    if (scan === undefined) continue;
    try {
      total.truncatedBytes += await verifySegment(scan, total.corrupt);
    } finally {
      await scan.close();
    }
    total.impressions += scan.impressions;
    total.outcomes += scan.outcomes;
    shadows += scan.shadows;
  }
  return shadows === 0 ? total : { ...total, shadows };
}

/** Answers how many bytes a start would cut. */
async function verifySegment(scan: SegmentScan, corrupt: Corruption[]): Promise<number> {
  do {
    while (await scan.next(readRecord));
    if (scan.fault === undefined) return 0;
    const { damage, offset, record, reason } = scan.fault;
    if (damage === "torn") return scan.size - offset;
    corrupt.push({ segment: scan.file.name, offset, record, reason });
  } while (await scan.skipFault());
  return 0;
}
