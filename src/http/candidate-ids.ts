import { randomUUID } from "node:crypto";
import { IdBytes } from "../domain/id-bytes.ts";

/** A rank request's body with its `candidateIds` taken out: the ids, and JSON that has a mark in their place. */
export interface TakenIds {
  readonly ids: IdBytes;
  readonly rest: string;
}

/** Nobody outside can know it: a second `candidateIds` of a body, which would be the one that counts, is another. */
const mark = randomUUID();

/** Whether the field that counts in the parsed rest is the one whose ids were taken; it is an empty list then. */
export function clearMark(rest: unknown): boolean {
  const fields = rest as { candidateIds?: unknown };
  if (fields.candidateIds !== mark) return false;
  fields.candidateIds = [];
  return true;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBracket = 0x5d;
const closingBrace = 0x7d;
const name = Buffer.from('"candidateIds"');

/**
 * Finds `candidateIds` among the fields of a JSON object and takes its ids as bytes. Undefined where they do not stand
 * there in the plain: the field is missing, is no array of strings or comes behind something odd, a string has an
 * escape or a control character, there are more than `most`. The body is then parsed as any other, and what is wrong
 * with it is told there; what is taken here is all right, if `rest` is.
 * @param body UTF-8.
 */
export function takeCandidateIds(body: Buffer, most: number): TakenIds | undefined {
  let at = skipSpace(body, 0);
  if (body[at] !== 0x7b) return undefined;
  for (;;) {
    at = skipSpace(body, at + 1);
    const keyEnd = endOfString(body, at);
    if (keyEnd < 0) return undefined;
    const colon = skipSpace(body, keyEnd);
    if (body[colon] !== 0x3a) return undefined;
    const value = skipSpace(body, colon + 1);
    if (keyEnd - at === name.length && name.compare(body, at, keyEnd) === 0)
      return takeIds(body, value, most);
    at = skipSpace(body, endOfValue(body, value));
    if (body[at] !== comma) return undefined;
  }
}

function takeIds(body: Buffer, start: number, most: number): TakenIds | undefined {
  if (body[start] !== 0x5b) return undefined;
  const ids = new IdBytes(body);
  for (let at = start; body[at] !== closingBracket; ) {
    const first = skipSpace(body, at + 1);
    const end = endOfString(body, first);
    if (end < 0 || ids.length === most) return undefined;
    ids.add(first + 1, end - 1);
    at = skipSpace(body, end);
    if (body[at] === closingBracket) {
      const rest = `${body.toString("utf8", 0, start)}"${mark}"${body.toString("utf8", at + 1)}`;
      return { ids, rest };
    }
    if (body[at] !== comma) return undefined;
  }
  return undefined;
}

/** Behind the string that begins at `at`; -1 where none does, or it holds what has to be decoded or is not allowed. */
function endOfString(body: Buffer, at: number): number {
  if (body[at] !== quote) return -1;
  for (let end = at + 1; end < body.length; end++) {
    const byte = body[end] as number;
    if (byte === quote) return end + 1;
    if (byte === backslash || byte < 0x20) return -1;
  }
  return -1;
}

/** Behind the value that begins at `at`, as far as brackets tell: whether it is JSON is seen when it is parsed. */
function endOfValue(body: Buffer, at: number): number {
  let depth = 0;
  for (let end = at; end < body.length; end++) {
    const byte = body[end] as number;
    if (byte === quote) {
      end = endOfString(body, end) - 1;
      if (end < 0) return body.length;
    } else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === closingBrace || byte === closingBracket) {
      if (depth === 0) return end;
      depth -= 1;
    } else if (byte === comma && depth === 0) return end;
  }
  return body.length;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = body[at])
    at++;
  return at;
}
