import { invalidArgument } from "../domain/error.ts";
import type { Attributes, AttributeType } from "../domain/feature.ts";
import type { Limits } from "../domain/limits.ts";

/**
 * The attributes of a user or a context, whatever asks with them; none where absent.
 * @param declared their types; others than these may come and are nobody's concern.
 * @throws {SetlistError} INVALID_ARGUMENT where there are too many, a number is not finite, or one is not of its type.
 */
export function checkAttributes(
  attributes: Attributes | undefined,
  field: string,
  limits: Limits,
  declared: Readonly<Record<string, AttributeType>> = none,
): Attributes {
  if (attributes === undefined) return none;
  checkEntries(attributes, field, limits);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw invalidArgument(`${field}.${name}: expected a finite number, got ${value}`);
    }
    const type = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (type !== undefined && typeof value !== valueTypes[type]) {
      throw invalidArgument(`${field}.${name}: expected a ${type}, as it is declared, got a ${typeof value}`);
    }
  }
  return attributes;
}

/** @throws {SetlistError} INVALID_ARGUMENT where one entity has more attributes or features than the limit. */
export function checkEntries(entries: object, field: string, limits: Limits): void {
  const count = Object.keys(entries).length;
  if (count > limits.entriesMax) {
    throw invalidArgument(`${field}: expected at most ${limits.entriesMax} entries, got ${count}`);
  }
}

/** What JavaScript calls a value of each type. */
const valueTypes: Readonly<Record<AttributeType, string>> = {
  string: "string",
  number: "number",
  bool: "boolean",
};

const none = Object.freeze({});
