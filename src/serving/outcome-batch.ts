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
  if (batch.length === 0 || batch.length > limits.outcomesMax) {
    throw invalidArgument(
      `outcomes: expected 1 to ${limits.outcomesMax} outcomes in a batch, got ${batch.length}`,
    );
  }
  const outcomes: Outcome[] = [];
  const rejected: RejectedOutcome[] = [];
  for (const [index, wire] of batch.entries()) {
    try {
      outcomes.push(parseOutcome(wire, receivedAt, limits));
    } catch (error) {
      if (!(error instanceof SetlistError)) throw error;
      rejected.push({ index, code: "INVALID_ARGUMENT", detail: error.message });
    }
  }
  return { outcomes, rejected };
}

function parseOutcome(wire: unknown, receivedAt: number, limits: Limits): Outcome {
  const { outcomeId, requestId, itemId, type, value, occurredAt } = parseWire(wire, "outcome");
  checkId(outcomeId, "outcomeId", limits);
  checkId(requestId, "requestId", limits);
  checkId(itemId, "itemId", limits);
  checkUnicode(type, "type");
  // Characters as people count them: code points, not UTF-16 units.
  const characters = [...type].length;
  if (characters < 1 || characters > limits.outcomeTypeCharactersMax) {
    throw invalidArgument(
      `type: expected 1 to ${limits.outcomeTypeCharactersMax} characters, got ${characters}`,
    );
  }
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

/** ISO 8601 with a time zone, to ms since 1970. A time without a zone would mean another instant on each machine. */
function parseInstant(text: string): number {
  const instant = isoInstant.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(instant)) return instant;
  throw invalidArgument(
    `occurredAt: expected an ISO 8601 time with a zone such as 2026-11-22T08:00:00.000Z, got ${JSON.stringify(text.slice(0, 40))}`,
  );
}

/** `Date.parse` moves February 30 on to March 2, so that only a real day comes back as it went in. */
function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return Number.isFinite(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

const isoInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

const parseWire = parserOf(wireOutcomeSchema);
