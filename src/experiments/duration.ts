import Type from "typebox";
import type { Duration } from "../domain/guardrail.ts";

/** A whole number of seconds, minutes, hours or days. */
export const durationSchema = Type.String({
  pattern: "^[1-9][0-9]{0,5}[smhd]$",
  description: "a whole number from 1 to 999999 of s, m, h or d, such as 90s, 30m, 24h or 7d",
});

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @param text as the schema has it. */
export function durationMs(text: Duration): number {
  return Number(text.slice(0, -1)) * (unitMs[text.slice(-1)] as number);
}
