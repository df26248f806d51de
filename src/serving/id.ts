import { invalidArgument } from "../domain/error.ts";
import type { Limits } from "../domain/limits.ts";

/**
 * @throws {SetlistError} INVALID_ARGUMENT where `id` is empty, longer than the limit in UTF-8 bytes, or no Unicode
 *   text: half of a surrogate pair has no bytes of its own, so two such ids would hash and be logged as one.
 */
export function checkId(id: string, field: string, limits: Limits): void {
  checkUnicode(id, field);
  const bytes = utf8Length(id, limits.idBytesMax);
  if (bytes >= 1 && bytes <= limits.idBytesMax) return;
  throw invalidArgument(`${field}: expected an id of 1 to ${limits.idBytesMax} bytes, got ${bytes}`);
}

/** @throws {SetlistError} INVALID_ARGUMENT where `text` holds half of a surrogate pair, which UTF-8 cannot write. */
export function checkUnicode(text: string, field: string): void {
  if (!text.isWellFormed()) throw invalidArgument(`${field}: expected Unicode text, got a lone surrogate`);
}

/** Whether a request's own id is one that its errors and log lines can go by. */
export function isId(id: unknown, limits: Limits): id is string {
  if (typeof id !== "string" || !id.isWellFormed()) return false;
  return id !== "" && utf8Length(id, limits.idBytesMax) <= limits.idBytesMax;
}

/** A UTF-16 unit is at most 3 bytes of UTF-8, so that short ids (nearly all) need no encoding to be measured. */
function utf8Length(text: string, bytesMax: number): number {
  return text.length * 3 <= bytesMax ? text.length : encoder.encode(text).length;
}

const encoder = new TextEncoder();
