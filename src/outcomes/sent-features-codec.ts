/**
 * The features and attributes that a request sent, behind an impression's items; docs/outcome-log-format.md has the
 * layout. No form of them has 512 zeros in a row, which would look like a sector that never reached the disk: a byte that is not zero
 * stands between any 32 numbers, and texts of any length are JSON, which escapes what is not text.
 */
import type { Attributes, AttributeValue, Features, FeatureValue } from "../domain/feature.ts";
import type { SentAttributes, SentFeatures } from "../domain/impression.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/** How one entity's features stand; never 0. */
const absent = 1;
const plain = 2;
const json = 3;

/** The kinds of a plain value. */
const oneNumber = 1;
const oneText = 2;
const numbers = 3;
const texts = 4;
/** Attributes only; from schema version 5. */
const isFalse = 5;
const isTrue = 6;

const plainTextMax = 128;
const numbersOfGroup = 32;

export function writeSentFeatures(to: RecordWriter, sent: SentFeatures, itemCount: number): void {
  writeFeatures(to, sent.user);
  writeFeatures(to, sent.context);
  to.uint8(sent.items === undefined ? absent : plain);
  if (sent.items === undefined) return;
  for (let item = 0; item < itemCount; item++) writeFeatures(to, sent.items[item]);
}

/** @throws {RangeError} where the payload holds something else. */
export function readSentFeatures(from: RecordReader, itemCount: number): SentFeatures {
  const user = readFeatures(from) as Features | undefined;
  const context = readFeatures(from) as Features | undefined;
  const form = from.uint8();
  if (form !== absent && form !== plain) throw new RangeError(`unknown form ${form} of item features`);
  const items =
    form === absent
      ? undefined
      : Array.from({ length: itemCount }, () => readFeatures(from) as Features | undefined);
  return { ...(user && { user }), ...(context && { context }), ...(items && { items }) };
}

export function writeSentAttributes(to: RecordWriter, { user, context }: SentAttributes): void {
  writeFeatures(to, user);
  writeFeatures(to, context);
}

/** @throws {RangeError} where the payload holds something else. */
export function readSentAttributes(from: RecordReader): SentAttributes {
  const user = readFeatures(from) as Attributes | undefined;
  const context = readFeatures(from) as Attributes | undefined;
  return { ...(user && { user }), ...(context && { context }) };
}

type Entries = Features | Attributes;
type Value = FeatureValue | AttributeValue;

function writeFeatures(to: RecordWriter, features: Entries | undefined): void {
  if (features === undefined) {
    to.uint8(absent);
    return;
  }
  const start = to.used;
  to.uint8(plain);
  if (writePlain(to, features)) return;
  to.used = start;
  to.uint8(json);
  to.string(JSON.stringify(features));
}

/** False, with something half-written, where a name or a value has no plain form. */
function writePlain(to: RecordWriter, features: Entries): boolean {
  const names = Object.keys(features);
  to.varint(names.length);
  for (const name of names) {
    if (!isPlainText(name)) return false;
    to.string(name);
    if (!writeValue(to, features[name] as Value)) return false;
  }
  return true;
}

function writeValue(to: RecordWriter, value: Value): boolean {
  if (typeof value === "boolean") {
    to.uint8(value ? isTrue : isFalse);
    return true;
  }
  if (typeof value === "number") {
    to.uint8(oneNumber);
    to.float64(value);
    return true;
  }
  if (typeof value === "string") {
    to.uint8(oneText);
    to.string(value);
    return isPlainText(value);
  }
  if (typeof value[0] === "string") return writeTexts(to, value);
  to.uint8(numbers);
  to.varint(value.length);
  for (let i = 0; i < value.length; i++) {
    const number = value[i];
    if (typeof number !== "number") return false;
    to.float64(number);
    if (i % numbersOfGroup === numbersOfGroup - 1) to.uint8(plain);
  }
  return true;
}

function writeTexts(to: RecordWriter, values: readonly (number | string)[]): boolean {
  to.uint8(texts);
  to.varint(values.length);
  for (const text of values) {
    if (typeof text !== "string" || !isPlainText(text)) return false;
    to.string(text);
  }
  return true;
}

/** Half of a surrogate pair has no UTF-8, JSON escapes it; an empty text is a zero byte. */
function isPlainText(text: string): boolean {
  return text.length >= 1 && text.length <= plainTextMax && text.isWellFormed();
}

function readFeatures(from: RecordReader): Entries | undefined {
  const form = from.uint8();
  if (form === absent) return undefined;
  if (form === json) return parse(from.string());
  if (form !== plain) throw new RangeError(`unknown form ${form} of features`);
  const entries: [string, Value][] = [];
  for (let left = from.varint(); left > 0; left--) entries.push([from.string(), readValue(from)]);
  return Object.fromEntries(entries) as Entries;
}

function readValue(from: RecordReader): Value {
  const kind = from.uint8();
  switch (kind) {
    case oneNumber:
      return from.float64();
    case oneText:
      return from.string();
    case numbers: {
      const values: number[] = [];
      for (let left = from.varint(); left > 0; left--) {
        values.push(from.float64());
        if (values.length % numbersOfGroup === 0) from.uint8();
      }
      return values;
    }
    case texts: {
      const values: string[] = [];
      for (let left = from.varint(); left > 0; left--) values.push(from.string());
      return values;
    }
    case isFalse:
      return false;
    case isTrue:
      return true;
    default:
      throw new RangeError(`unknown kind ${kind} of a feature's value`);
  }
}

function parse(text: string): Entries {
  try {
    return JSON.parse(text) as Entries;
  } catch (error) {
    throw new RangeError(`features that are no JSON: ${(error as Error).message}`);
  }
}
