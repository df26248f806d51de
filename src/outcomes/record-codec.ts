/** One record to one frame and back: the kind, then the impression, the outcome or the seal. */
import type { Impression } from "../domain/impression.ts";
import type { Outcome } from "../domain/outcome.ts";
import type { LogRecord } from "../domain/ports.ts";
import { beginFrame, endFrame } from "./frame.ts";
import { readImpression, writeImpression } from "./impression-codec.ts";
import { readOutcome, writeOutcome } from "./outcome-codec.ts";
import { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

export const impressionKind = 1;
export const outcomeKind = 2;
export const sealKind = 3;

/** The last record of a sealed segment says how many there are: a file cut off between two records is seen too. */
export interface Seal {
  readonly impressions: number;
  readonly outcomes: number;
}

/** Writes a frame whose place is not known yet; answers where it starts in `to`. */
export function writeImpressionFrame(to: RecordWriter, impression: Impression): number {
  const start = beginFrame(to);
  to.uint8(impressionKind);
  writeImpression(to, impression);
  endFrame(to, start);
  return start;
}

/** As `writeImpressionFrame`. */
export function writeOutcomeFrame(to: RecordWriter, outcome: Outcome): number {
  const start = beginFrame(to);
  to.uint8(outcomeKind);
  writeOutcome(to, outcome);
  endFrame(to, start);
  return start;
}

/** As `writeImpressionFrame`. */
export function writeSealFrame(to: RecordWriter, seal: Seal): number {
  const start = beginFrame(to);
  to.uint8(sealKind);
  to.uint32(seal.impressions);
  to.uint32(seal.outcomes);
  endFrame(to, start);
  return start;
}

/**
 * The record of the payload in `buffer[start, end)`.
 * @throws {RangeError} where the bytes are no record of this schema version.
 */
export function readRecord(buffer: Buffer, start: number, end: number): LogRecord {
  reader.open(buffer, start, end);
  const kind = reader.uint8();
  if (kind !== impressionKind && kind !== outcomeKind) throw new RangeError(`unknown kind ${kind}`);
  const record = kind === impressionKind ? readImpression(reader) : readOutcome(reader);
  reader.finish();
  return record;
}

/** As `readRecord`, of a payload whose kind is `sealKind`. */
export function readSeal(buffer: Buffer, start: number, end: number): Seal {
  reader.open(buffer, start, end);
  reader.uint8();
  const seal = { impressions: reader.uint32(), outcomes: reader.uint32() };
  reader.finish();
  return seal;
}

/**
 * Where the bytes of a record's own id stand, its first field: an impression's requestId, an outcome's outcomeId.
 * @param payloadStart where the payload starts in `buffer`.
 */
export function idBytes(buffer: Buffer, payloadStart: number): { start: number; end: number } {
  return stringBytes(buffer, payloadStart + 1);
}

/** Where the bytes of an outcome's requestId stand: its second field. */
export function answeredRequestBytes(buffer: Buffer, payloadStart: number): { start: number; end: number } {
  return stringBytes(buffer, idBytes(buffer, payloadStart).end);
}

function stringBytes(buffer: Buffer, at: number): { start: number; end: number } {
  let start = at;
  let prefix = 0;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = buffer[start++] as number;
    prefix += (byte & 0x7f) * scale;
    if (byte < 0x80) return { start, end: start + Math.floor(prefix / 2) };
  }
}

const reader = new RecordReader();
