import { corruptionError } from "./corruption.ts";
import type { Disk } from "./disk.ts";
import { stampFrames } from "./frame.ts";
import type { KnownIds } from "./known-ids.ts";
import { idBytes, impressionKind, outcomeKind, receivedAtOf, writeSealFrame } from "./record-codec.ts";
import { RecordWriter } from "./record-writer.ts";
import { type SegmentFile, segmentFile } from "./segment-file.ts";
import { segmentHeaderBytes } from "./segment-header.ts";
import { numberedSegments } from "./segment-numbering.ts";
import { SegmentScan } from "./segment-scan.ts";

/** What a start found. `segments` counts those that hold something. */
export interface RecoverySummary {
  readonly impressions: number;
  readonly outcomes: number;
  readonly truncatedBytes: number;
  readonly segments: number;
}

export interface RecoveryOptions {
  readonly directory: string;
  readonly disk: Disk;
  /** Learns the ids of the log. */
  readonly known: KnownIds;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Reads the whole log, cuts torn tails and seals what a stopped server left open.
 * Answers the number that the next segment gets.
 * @throws {SetlistError} where a record is damaged that was whole once, naming segment, offset and record.
 */
export async function recoverLog(
  options: RecoveryOptions,
): Promise<{ summary: RecoverySummary; nextNumber: number }> {
  const { directory, known } = options;
  const total = { impressions: 0, outcomes: 0, truncatedBytes: 0, segments: 0 };
  let nextNumber = 1;
  const { segments, wrong } = await numberedSegments(directory);
  if (wrong !== undefined) throw corruptionError(directory, wrong);
  const empty: SegmentScan[] = [];
  for (const file of segments) {
    const scan = await scanIds(file, options);
    if (scan === undefined) {
      nextNumber = file.number + 1;
      continue;
    }
    const truncatedBytes = scan.size - scan.offset;
    if (truncatedBytes > 0) warnOfTornTail(options, scan, truncatedBytes);
    if (!file.sealed && scan.offset <= segmentHeaderBytes) empty.push(scan);
    else {
      // Power was lost before any of them was synced, and after what is behind them: their numbers stay.
      for (const before of empty.splice(0)) await finish(options, before);
      if (!file.sealed) await finish(options, scan);
      nextNumber = file.number + 1;
    }
    total.impressions += scan.impressions;
    total.outcomes += scan.outcomes;
    total.truncatedBytes += truncatedBytes;
    total.segments += scan.records > 0 ? 1 : 0;
  }
  // From the last one on: a start that ends in between leaves no gap.
  for (const { file } of empty.reverse()) {
    await options.disk.remove(file.path);
    await options.disk.syncDirectory(directory);
  }
  known.outcomes.recovered();
  return { summary: total, nextNumber };
}

/** Undefined where a sealed segment is gone: retention deletes the oldest, also beside a start. */
async function scanIds(
  file: SegmentFile,
  { directory, known }: RecoveryOptions,
): Promise<SegmentScan | undefined> {
  const scan = await SegmentScan.open(file, directory);
  if (scan === undefined && file.sealed) return undefined;
  if (scan === undefined) throw new Error(`${file.path} vanished while the log was being opened`);
  const id = new Uint32Array(3);
  const learnOutcome = known.outcomes.learnerOf(file.number);
  const learn = (buffer: Buffer, payloadStart: number, payloadEnd: number): void => {
    const kind = buffer[payloadStart];
    // A comparison's id is its impression's.
    if (kind !== impressionKind && kind !== outcomeKind) return;
    const { start, end } = idBytes(buffer, payloadStart, payloadEnd);
    known.fingerprint(buffer, start, end, id);
    if (kind === impressionKind) known.addRequest(id);
    else learnOutcome(id, scan.offset, receivedAtOf(buffer, payloadEnd));
  };
  try {
    while (await scan.next(learn));
  } finally {
    await scan.close();
  }
  if (scan.fault?.damage === "corrupt")
    throw corruptionError(directory, { segment: file.name, ...scan.fault });
  return scan;
}

function warnOfTornTail({ onWarning }: RecoveryOptions, scan: SegmentScan, truncatedBytes: number): void {
  onWarning(
    `the log ends in ${truncatedBytes} bytes that are no whole record and are cut off: a write that the server's end ` +
      "cut short, and so never acknowledged, unless the disk has lost what it had confirmed",
    { segment: scan.file.name, offset: scan.offset, truncatedBytes, reason: scan.fault?.reason },
  );
}

/**
 * An open segment is cut to its valid records and sealed: a server only ever appends to a segment of its own.
 * @throws {SetlistError} where not even its header is whole: nothing is written behind such a one.
 */
async function finish({ disk, directory }: RecoveryOptions, scan: SegmentScan): Promise<void> {
  const { file } = scan;
  if (scan.offset < segmentHeaderBytes) {
    throw corruptionError(directory, {
      ...{ segment: file.name, offset: 0, record: 0 },
      reason: "its header is not whole, and there are records in segments behind it",
    });
  }
  const opened = await disk.open(file.path);
  try {
    if (scan.size > scan.offset) {
      await opened.truncate(scan.offset);
      // Or a power cut might leave the seal, and behind it what was cut.
      await opened.sync();
    }
    if (!scan.sealed) {
      const seal = new RecordWriter();
      writeSealFrame(seal, scan);
      stampFrames(seal.bytes(), scan.salt, scan.offset, 0);
      await opened.write([seal.bytes()], scan.offset);
    }
    await opened.sync();
  } finally {
    await opened.close();
  }
  await disk.rename(file.path, segmentFile(directory, file.number, true).path);
  await disk.syncDirectory(directory);
}
