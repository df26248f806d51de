/**
 * Features as they were served, the last of an impression; docs/outcome-log-format.md has the layout. A byte that is not
 * zero stands behind any 64 values, so that no run of zeros looks like a sector that never reached the disk.
 */
import type { FeatureEntity } from "../domain/feature.ts";
import type { ServedFeature, ServedFeatures } from "../domain/served-features.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** By their number in the record; none is 0. */
const entities: readonly (FeatureEntity | undefined)[] = [undefined, "user", "item", "context"];
/** The kinds of values. */
const float32 = 1;
const int32 = 2;

const valuesOfGroup = 64;
const groupEnd = 1;

export function writeServedFeatures(to: RecordWriter, served: readonly ServedFeatures[]): void {
  to.varint(served.length);
  for (const { model, rows, features } of served) {
    to.string(model.name);
    to.string(model.version);
    to.varint(rows);
    to.varint(features.length);
    for (const feature of features) writeFeature(to, feature);
  }
}

/** @throws {RangeError} where the payload holds something else. */
export function readServedFeatures(from: RecordReader): ServedFeatures[] {
  return listOf(from, () => ({
    model: { name: from.string(), version: from.string() },
    rows: from.varint(),
    features: listOf(from, () => readFeature(from)),
  }));
}

function writeFeature(
  to: RecordWriter,
  { name, entity, input, encoding, width, values }: ServedFeature,
): void {
  to.uint8(entities.indexOf(entity));
  to.string(name);
  to.string(input);
  to.string(encoding);
  to.varint(width);
  to.uint8(values instanceof Float32Array ? float32 : int32);
  to.varint(values.length);
  for (let at = 0; at < values.length; at += valuesOfGroup) {
    const end = Math.min(at + valuesOfGroup, values.length);
    to.numbers(values, at, end);
    if (end === at + valuesOfGroup) to.uint8(groupEnd);
  }
}

function readFeature(from: RecordReader): ServedFeature {
  const place = from.uint8();
  const entity = entities[place];
  if (entity === undefined) throw new RangeError(`unknown entity ${place} of a served feature`);
  const name = from.string();
  const input = from.string();
  const encoding = from.string();
  const width = from.varint();
  return { name, entity, input, encoding, width, values: readValues(from) };
}

function readValues(from: RecordReader): Float32Array | Int32Array {
  const kind = from.uint8();
  if (kind !== float32 && kind !== int32) throw new RangeError(`unknown kind ${kind} of served values`);
  const count = from.varint();
  // Before any memory is taken for it.
  if (count > from.bytesLeft / 4)
    throw new RangeError(`${count} served values, more than there are bytes for`);
  const values = kind === float32 ? new Float32Array(count) : new Int32Array(count);
  for (let at = 0; at < count; at++) {
    values[at] = kind === float32 ? from.float32() : from.uint32() | 0;
    if (at % valuesOfGroup === valuesOfGroup - 1) from.uint8();
  }
  return values;
}

function listOf<Entry>(from: RecordReader, read: () => Entry): Entry[] {
  const entries: Entry[] = [];
  for (let left = from.varint(); left > 0; left--) entries.push(read());
  return entries;
}
