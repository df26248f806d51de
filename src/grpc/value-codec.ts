import { invalidArgument } from "../domain/error.ts";
import type { AttributeValue, FeatureValue } from "../domain/feature.ts";
import type { MessageReader } from "./message-reader.ts";

/**
 * Reads one entry of a `map<string, Value>` into `entries`.
 * @throws {SetlistError} INVALID_ARGUMENT where `field.name` has no value or may not be called so.
 */
export function readEntry<T>(
  reader: MessageReader,
  entries: Record<string, T>,
  field: string,
  readValue: (reader: MessageReader, field: string, name: () => string) => T | undefined,
): void {
  const end = reader.enter();
  let name = "";
  let value: T | undefined;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) name = reader.text();
    else if (number === 2) value = readValue(reader, field, () => name);
    else reader.skip();
  }
  if (value === undefined) throw invalidArgument(`${field}.${name}: expected a value, but none is set`);
  // Set by assignment, this one name would change the object's prototype; JSON bodies refuse it too.
  if (name === "__proto__") throw invalidArgument(`${field}: the key __proto__ is not allowed`);
  entries[name] = value;
}

/** `setlist.v1.FeatureValue`; undefined where no field of it is set. */
export function readFeature(
  reader: MessageReader,
  field: string,
  name: () => string,
): FeatureValue | undefined {
  const end = reader.enter();
  let value: FeatureValue | undefined;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) value = reader.float64();
    else if (number === 2) value = readNumbers(reader);
    else if (number === 3) value = reader.text();
    else if (number === 4) value = readTexts(reader);
    else if (number === 5) value = float32Of(reader.bytes(), field, name);
    else reader.skip();
  }
  return value;
}

/** `setlist.v1.AttributeValue`; undefined where no field of it is set. */
export function readAttribute(
  reader: MessageReader,
  field: string,
  name: () => string,
): AttributeValue | undefined {
  const end = reader.enter();
  let value: AttributeValue | undefined;
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) value = reader.text();
    else if (number === 2) value = reader.float64();
    else if (number === 3) value = reader.flag();
    else reader.skip();
  }
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  throw invalidArgument(`${field}.${name()}: expected a finite number, got ${value}`);
}

function readNumbers(reader: MessageReader): readonly number[] {
  const values: number[] = [];
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) reader.float32s(values);
    else reader.skip();
  }
  return values;
}

function readTexts(reader: MessageReader): readonly string[] {
  const values: string[] = [];
  const end = reader.enter();
  for (let number = reader.next(end); number !== 0; number = reader.next(end)) {
    if (number === 1) values.push(reader.text());
    else reader.skip();
  }
  return values;
}

/** Little-endian float32, read one by one: the bytes lie at any offset of the message's buffer. */
function float32Of(raw: Uint8Array, field: string, name: () => string): readonly number[] {
  if (raw.length % 4 !== 0) {
    throw invalidArgument(`${field}.${name()}.raw: expected a multiple of 4 bytes, got ${raw.length}`);
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = new Array<number>(raw.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(i * 4, true);
  return values;
}
