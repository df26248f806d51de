/** What can still be read of one segment, whatever is wrong with it. */
import { nextFrame } from "./damage.ts";
import { checkFrame, describeFault, frameHeaderBytes } from "./frame.ts";
import { lostSalt } from "./lost-salt.ts";
import {
  impressionKind,
  isComparisonKind,
  outcomeKind,
  readRecord,
  readSeal,
  type Seal,
  sealKind,
} from "./record-codec.ts";
import type { SegmentFile } from "./segment-file.ts";
import {
  claimedHeader,
  decodeSegmentHeader,
  isHeaderWhole,
  isReadableVersion,
  type SegmentHeader,
  segmentHeaderBytes,
} from "./segment-header.ts";

/** Bytes that hold no record any more, and why. */
export interface LostPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface SalvagedSegment {
  /** Undefined where no record can be told from garbage, or none can be read by this Setlist. */
  readonly header: (SegmentHeader & { readonly version: number | undefined }) | undefined;
  /** The frames that are good, in their order, as they stand in the file. */
  readonly frames: readonly Buffer[];
  readonly kept: Seal;
  readonly lost: readonly LostPlace[];
  /** By the seal; undefined where there is none to say it. */
  readonly lostRecords: number | undefined;
  /** At the end of a segment that was still being written: never acknowledged. */
  readonly truncatedBytes: number;
  /** Nothing is wrong with it, and it is sealed: it can be taken over as it stands. */
  readonly whole: boolean;
}

/**
 * @param bytes the whole file.
 * @param likelySalts what others remember of the segment's salt, for a header that cannot be read.
 */
export function salvageSegment(
  file: SegmentFile,
  bytes: Buffer,
  likelySalts: readonly number[] = [],
): SalvagedSegment {
  const places: LostPlace[] = [];
  const header = headerOf(file, bytes, likelySalts, places);
  if (header === undefined) return nothingOf(file, bytes, places);
  const frames: Buffer[] = [];
  const kept = { impressions: 0, outcomes: 0, shadows: 0 };
  let seal: Seal | undefined;
  let truncatedBytes = 0;
  let at = segmentHeaderBytes;
  while (at < bytes.length) {
    const payloadBytes = checkFrame(bytes, at, bytes.length, header.salt, at);
    if (payloadBytes < 0) {
      const next = nextFrame(bytes, at + 1, header.salt, 0);
      // What a stopped writer leaves: a start cuts it.
      if (next === undefined && !file.sealed && seal === undefined) truncatedBytes = bytes.length - at;
      else places.push(place(at, next ?? bytes.length, describeFault(payloadBytes)));
      at = next ?? bytes.length;
      continue;
    }
    const end = at + frameHeaderBytes + payloadBytes;
    const taken = takeFrame(bytes, at, end, kept);
    if (typeof taken === "string") places.push(place(at, end, taken));
    else if (taken === undefined) frames.push(bytes.subarray(at, end));
    else seal = taken;
    at = end;
  }
  const lostRecords = seal === undefined ? undefined : totalOf(seal) - totalOf(kept);
  if (file.sealed && seal === undefined) {
    places.push(place(bytes.length, bytes.length, "the segment ends without its seal"));
  } else if (places.length === 0 && seal !== undefined && !isSame(seal, kept)) {
    places.push(place(bytes.length, bytes.length, "the seal counts other records than there are"));
  }
  return {
    header,
    frames,
    kept,
    lost: places,
    lostRecords: places.every(({ offset }) => offset < segmentHeaderBytes) ? 0 : lostRecords,
    truncatedBytes,
    whole: file.sealed && places.length === 0,
  };
}

/** The seal, undefined for a record that is counted in `kept`, or why the frame's content makes no sense. */
function takeFrame(
  bytes: Buffer,
  start: number,
  end: number,
  kept: { impressions: number; outcomes: number; shadows: number },
): Seal | string | undefined {
  const payloadStart = start + frameHeaderBytes;
  const kind = bytes[payloadStart];
  try {
    if (kind === sealKind) return readSeal(bytes, payloadStart, end);
    readRecord(bytes, payloadStart, end);
  } catch (error) {
    if (error instanceof RangeError) return `it cannot be decoded: ${error.message}`;
    throw error;
  }
  if (kind === impressionKind) kept.impressions++;
  else if (kind === outcomeKind) kept.outcomes++;
  else if (isComparisonKind(kind)) kept.shadows++;
  return undefined;
}

function headerOf(
  file: SegmentFile,
  bytes: Buffer,
  likelySalts: readonly number[],
  places: LostPlace[],
): SalvagedSegment["header"] {
  const decoded = decodeSegmentHeader(bytes, file.number);
  if (!("fault" in decoded)) return { ...decoded, version: claimedHeader(bytes).version };
  if (bytes.length < segmentHeaderBytes) {
    places.push(place(0, bytes.length, decoded.fault));
    return undefined;
  }
  const claimed = claimedHeader(bytes);
  if (isHeaderWhole(bytes)) {
    if (!isReadableVersion(claimed.version)) {
      places.push(place(0, bytes.length, decoded.fault));
      return undefined;
    }
    // Another file's name, but what the header says of itself is true.
    places.push(place(0, 0, decoded.fault));
    return claimed;
  }
  const salt = lostSalt(bytes, [claimed.salt, ...likelySalts]);
  if (salt === undefined) {
    places.push(place(0, bytes.length, `${decoded.fault}, and no two records are left that tell its salt`));
    return undefined;
  }
  places.push(place(0, segmentHeaderBytes, `${decoded.fault}; its salt was worked out from the records`));
  return {
    number: file.number,
    salt,
    madeAt: Number.isFinite(claimed.madeAt) ? claimed.madeAt : 0,
    version: isReadableVersion(claimed.version) ? claimed.version : undefined,
  };
}

function nothingOf(file: SegmentFile, bytes: Buffer, lost: readonly LostPlace[]): SalvagedSegment {
  // A file that was being made when its server ended: a start removes it.
  const torn = !file.sealed && bytes.length <= segmentHeaderBytes;
  return {
    header: undefined,
    frames: [],
    kept: { impressions: 0, outcomes: 0, shadows: 0 },
    lost: torn ? [] : lost,
    lostRecords: torn ? 0 : undefined,
    truncatedBytes: torn ? bytes.length : 0,
    whole: false,
  };
}

function place(from: number, to: number, reason: string): LostPlace {
  return { offset: from, bytes: to - from, reason };
}

function isSame(one: Seal, other: Seal): boolean {
  return (
    one.impressions === other.impressions && one.outcomes === other.outcomes && one.shadows === other.shadows
  );
}

function totalOf({ impressions, outcomes, shadows }: Seal): number {
  return impressions + outcomes + shadows;
}
