import { invalidArgument } from "../domain/error.ts";
import type { Attributes, AttributeValue, Features, FeatureValue } from "../domain/feature.ts";

/** `setlist.v1.FeatureValue` as proto-loader hands it over: `value` names the one field that is set. */
export interface FeatureValueMessage {
  readonly value?: "number" | "numbers" | "text" | "texts" | "raw";
  readonly number?: number;
  readonly numbers?: { readonly values: readonly number[] };
  readonly text?: string;
  readonly texts?: { readonly values: readonly string[] };
  readonly raw?: Uint8Array;
}

export interface AttributeValueMessage {
  readonly value?: "text" | "number" | "flag";
  readonly text?: string;
  readonly number?: number;
  readonly flag?: boolean;
}

/** @throws {SetlistError} INVALID_ARGUMENT naming the feature whose value is not set or whose bytes are no float32. */
export function featuresOf(
  messages: Readonly<Record<string, FeatureValueMessage>>,
  field: string,
): Features | undefined {
  const names = Object.keys(messages);
  if (names.length === 0) return undefined;
  return record(names, (name) => featureOf(messages[name] ?? {}, `${field}.${name}`));
}

/** @throws {SetlistError} INVALID_ARGUMENT naming the attribute whose value is not set or not finite. */
export function attributesOf(
  messages: Readonly<Record<string, AttributeValueMessage>>,
  field: string,
): Attributes {
  return record(Object.keys(messages), (name) => attributeOf(messages[name] ?? {}, `${field}.${name}`));
}

/** Defined as own properties: a name such as `__proto__` is then a name like any other. */
function record<T>(names: readonly string[], read: (name: string) => T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

function featureOf(message: FeatureValueMessage, field: string): FeatureValue {
  const { number, numbers, text, texts, raw } = message;
  const value = number ?? numbers?.values ?? text ?? texts?.values;
  if (value !== undefined) return value;
  if (raw !== undefined) return float32Of(raw, field);
  throw invalidArgument(`${field}: expected one of number, numbers, text, texts, raw, but none is set`);
}

function attributeOf(message: AttributeValueMessage, field: string): AttributeValue {
  const value = message.text ?? message.number ?? message.flag;
  if (value === undefined) {
    throw invalidArgument(`${field}: expected one of text, number, flag, but none is set`);
  }
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  throw invalidArgument(`${field}: expected a finite number, got ${value}`);
}

/** Little-endian float32, read one by one: the bytes lie at any offset of the message's buffer. */
function float32Of(raw: Uint8Array, field: string): readonly number[] {
  if (raw.length % 4 !== 0) {
    throw invalidArgument(`${field}.raw: expected a multiple of 4 bytes, got ${raw.length}`);
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}
