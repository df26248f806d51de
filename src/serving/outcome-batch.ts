import Type from "typebox";
import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { Limits } from "../domain/limits.ts";
import type { Outcome, RejectedOutcome } from "../domain/outcome.ts";
import { parserOf } from "../schema/schema.ts";
import { checkId, checkUnicode } from "./id.ts";

/** One outcome as CONTRACT's JSON has it. `value` is 1 and `occurredAt` the time of arrival where absent. */
export const wireOutcomeSchema = Type.Object(
  {
    outcomeId: Type.String(),
    requestId: Type.String(),
    itemId: Type.String(),
    type: Type.String(),
    value: Type.Optional(Type.Number()),
    occurredAt: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/**
 * Parses each outcome on its own: a wrong one is rejected by its index, the rest are taken.
 * @throws {SetlistError} INVALID_ARGUMENT where the batch is empty or too long.
 */
export function parseOutcomes(
  batch: readonly unknown[],
  receivedAt: number,
  limits: Limits,
): { outcomes: Outcome[]; rejected: RejectedOutcome[] } {
  const outcomes: Outcome[] = [];
  const rejected = parseEach(batch, "outcomes", limits, (wire) => {
    outcomes.push(parseOutcome(wire, receivedAt, limits));
  });
  return { outcomes, rejected };
}

/**
 * Calls `take` with each of a batch, and answers with those that it threw a `SetlistError` for.
 * @param what the batch is of, by its field.
 * @throws {SetlistError} INVALID_ARGUMENT where the batch is empty or too long.
 */
export function parseEach(
  batch: readonly unknown[],
  what: "outcomes" | "events",
  limits: Limits,
  take: (wire: unknown) => void,
): RejectedOutcome[] {
  if (batch.length === 0 || batch.length > limits.outcomesMax) {
    throw invalidArgument(
      `${what}: expected 1 to ${limits.outcomesMax} ${what} in a batch, got ${batch.length}`,
    );
  }
  const rejected: RejectedOutcome[] = [];
  for (const [index, wire] of batch.entries()) {
    try {
      take(wire);
    } catch (error) {
      if (!(error instanceof SetlistError)) throw error;
      rejected.push({ index, code: "INVALID_ARGUMENT", detail: error.message });
    }
  }
  return rejected;
}

function parseOutcome(wire: unknown, receivedAt: number, limits: Limits): Outcome {
  const { outcomeId, requestId, itemId, type, value, occurredAt } = parseWire(wire, "outcome");
  checkId(outcomeId, "outcomeId", limits);
  checkId(requestId, "requestId", limits);
  checkId(itemId, "itemId", limits);
  checkOutcomeType(type, "type", limits);
  return {
    kind: "outcome",
    outcomeId,
    requestId,
    itemId,
    type,
    value: value ?? 1,
    occurredAt: occurredAt === undefined ? receivedAt : parseInstant(occurredAt),
    receivedAt,
  };
}

/** @throws {SetlistError} INVALID_ARGUMENT where it is empty, too long, or no Unicode text. */
export function checkOutcomeType(type: string, field: string, limits: Limits): void {
  checkUnicode(type, field);
  const { outcomeTypeCharactersMax } = limits;
  if (type.length >= 1 && type.length <= outcomeTypeCharactersMax) return;
  // Characters as people count them: code points, of which there are at most as many as UTF-16 units.
  const characters = [...type].length;
  if (characters >= 1 && characters <= outcomeTypeCharactersMax) return;
  throw invalidArgument(`${field}: expected 1 to ${outcomeTypeCharactersMax} characters, got ${characters}`);
}

/**
 * ISO 8601 with a time zone, to ms since 1970. A time without a zone would mean another instant on each machine.
 * @throws {SetlistError} INVALID_ARGUMENT of the field `occurredAt`.
 */
export function parseInstant(text: string): number {
  const instant = isoInstant.test(text) && isDay(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(instant)) return instant;
  throw invalidArgument(
    `occurredAt: expected an ISO 8601 time with a zone such as 2026-11-22T08:00:00.000Z, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}

/**
 * `Date.parse` moves February 30 on to March 2. Counted, since to make a date of each day and to compare its text took a
 * quarter of the time of a batch.
 * @param text starts with `YYYY-MM-DD`, in digits.
 */
function isDay(text: string): boolean {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : daysOfMonths[month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

const daysOfMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const isoInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

const parseWire = parserOf(wireOutcomeSchema);
