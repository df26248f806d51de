/** One record to one frame and back: the kind, then the impression, the outcome, the comparison or the seal. */
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { Comparison, LogRecord } from "../domain/outcome-log.ts";
import { readCounterfactual, writeCounterfactual } from "./counterfactual-codec.ts";
import { beginFrame, endFrame } from "./frame.ts";
import { readImpression, writeImpression } from "./impression-codec.ts";
import { readOutcome, writeOutcome } from "./outcome-codec.ts";
import { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";
import { readShadow, writeShadow } from "./shadow-codec.ts";

export const impressionKind = 1;
export const outcomeKind = 2;
export const sealKind = 3;
/** From schema version 3. */
const shadowKind = 4;
/** From schema version 4. */
const counterfactualKind = 5;

/** Of comparisons with shadow models and with other arms: they are written, kept and counted alike. */
export function isComparisonKind(kind: number | undefined): boolean {
  return kind === shadowKind || kind === counterfactualKind;
}

/** The last record of a sealed segment says how many there are: a file cut off between two records is seen too. */
export interface Seal {
  readonly impressions: number;
  readonly outcomes: number;
  readonly shadows: number;
}

/** Writes a frame whose place is not known yet; answers where it starts in `to`. */
export function writeImpressionFrame(to: RecordWriter, impression: Impression): number {
  return writeFrame(to, impressionKind, writeImpression, impression);
}

/** As `writeImpressionFrame`. */
export function writeOutcomeFrame(to: RecordWriter, outcome: Outcome): number {
  return writeFrame(to, outcomeKind, writeOutcome, outcome);
}

/** As `writeImpressionFrame`. */
export function writeComparisonFrame(to: RecordWriter, comparison: Comparison): number {
  return comparison.kind === "shadow"
    ? writeFrame(to, shadowKind, writeShadow, comparison)
    : writeFrame(to, counterfactualKind, writeCounterfactual, comparison);
}

/** As `writeImpressionFrame`. */
export function writeSealFrame(to: RecordWriter, seal: Seal): number {
  return writeFrame(to, sealKind, writeSeal, seal);
}

function writeSeal(to: RecordWriter, { impressions, outcomes, shadows }: Seal): void {
  to.uint32(impressions);
  to.uint32(outcomes);
  // Only where there are any: a segment without them is sealed as it always was, whichever version began it.
  if (shadows > 0) to.uint32(shadows);
}

function writeFrame<Content>(
  to: RecordWriter,
  kind: number,
  write: (to: RecordWriter, content: Content) => void,
  content: Content,
): number {
  const start = beginFrame(to);
  to.uint8(kind);
  write(to, content);
  endFrame(to, start);
  return start;
}

/**
 * The record of the payload in `buffer[start, end)`.
 * @throws {RangeError} where the bytes are no record of this schema version.
 */
export function readRecord(buffer: Buffer, start: number, end: number): LogRecord {
  reader.open(buffer, start, end);
  const record = readKind(reader.uint8());
  reader.finish();
  return record;
}

function readKind(kind: number): LogRecord {
  switch (kind) {
    case impressionKind:
      return readImpression(reader);
    case outcomeKind:
      return readOutcome(reader);
    case shadowKind:
      return readShadow(reader);
    case counterfactualKind:
      return readCounterfactual(reader);
    default:
      throw new RangeError(`unknown kind ${kind}`);
  }
}

/** As `readRecord`, of a payload whose kind is `sealKind`. */
export function readSeal(buffer: Buffer, start: number, end: number): Seal {
  reader.open(buffer, start, end);
  reader.uint8();
  const seal = {
    impressions: reader.uint32(),
    outcomes: reader.uint32(),
    shadows: end - start > shortSealBytes ? reader.uint32() : 0,
  };
  reader.finish();
  return seal;
}

/**
 * Where the bytes of a record's first field stand: its own id, an impression's requestId or an outcome's outcomeId; of a
 * comparison the requestId too, which is the impression's.
 * @param payloadStart where the payload starts in `buffer`, and `payloadEnd` behind it.
 * @throws {RangeError} where the payload is shorter than the field says.
 */
export function idBytes(
  buffer: Buffer,
  payloadStart: number,
  payloadEnd: number,
): { start: number; end: number } {
  return stringBytes(buffer, payloadStart + 1, payloadEnd);
}

/** Where the bytes of an outcome's requestId stand: its second field. */
export function answeredRequestBytes(
  buffer: Buffer,
  payloadStart: number,
  payloadEnd: number,
): { start: number; end: number } {
  return stringBytes(buffer, idBytes(buffer, payloadStart, payloadEnd).end, payloadEnd);
}

/** When the outcome whose payload ends there was received: its last field, ms since 1970. */
export function receivedAtOf(buffer: Buffer, payloadEnd: number): number {
  return buffer.readDoubleLE(payloadEnd - 8);
}

function stringBytes(buffer: Buffer, at: number, payloadEnd: number): { start: number; end: number } {
  let start = at;
  let prefix = 0;
  for (let scale = 1; start < payloadEnd; scale *= 0x80) {
    const byte = buffer[start++] as number;
    prefix += (byte & 0x7f) * scale;
    const end = start + Math.floor(prefix / 2);
    if (end > payloadEnd) break;
    if (byte < 0x80) return { start, end };
  }
  throw new RangeError("the payload ends too early");
}

/** The kind and two counts. */
const shortSealBytes = 9;

const reader = new RecordReader();
