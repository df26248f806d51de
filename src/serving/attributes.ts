import { invalidArgument } from "../domain/error.ts";
import type { Attributes } from "../domain/feature.ts";
import type { Limits } from "../domain/limits.ts";

/**
 * The attributes of a user or a context, whatever asks with them; none where absent.
 * @throws {SetlistError} INVALID_ARGUMENT where there are too many, or a number is not finite.
 */
export function checkAttributes(
  attributes: Attributes | undefined,
  field: string,
  limits: Limits,
): Attributes {
  if (attributes === undefined) return none;
  checkEntries(attributes, field, limits);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw invalidArgument(`${field}.${name}: expected a finite number, got ${value}`);
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

const none = Object.freeze({});
