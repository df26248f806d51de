import { expect, test } from "vitest";
import { parseInstant } from "../../src/serving/outcome-batch.ts";

const two = (value: number): string => String(value).padStart(2, "0");

/** What the calendar of the runtime says: a day that does not exist comes back as another. */
function isReal(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return Number.isFinite(midnight.getTime()) && midnight.toISOString().startsWith(date);
}

function isTaken(text: string): boolean {
  try {
    parseInstant(text);
    return true;
  } catch {
    return false;
  }
}

test("a day is taken where the calendar has it, in leap years and in centuries that are none", () => {
  const dates = ["0000", "0004", "1900", "1970", "2000", "2023", "2024", "2100", "9999"].flatMap((year) =>
    Array.from({ length: 14 * 33 }, (_, i) => `${year}-${two(Math.floor(i / 33))}-${two(i % 33)}`),
  );
  const taken = dates.filter((date) => isTaken(`${date}T08:00:00Z`));
  expect(taken).toStrictEqual(dates.filter(isReal));
  expect(taken).toHaveLength(9 * 365 + 4);
});

test("the zone counts, and every digit of a second is read", () => {
  expect(parseInstant("2026-11-22T08:00:00.5+02:00")).toBe(Date.UTC(2026, 10, 22, 6, 0, 0, 500));
  expect(parseInstant("2026-11-22T08:00:00.123456789Z")).toBe(Date.UTC(2026, 10, 22, 8, 0, 0, 123));
});
