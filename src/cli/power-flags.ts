/** Parsers of the flags of `setlist power`; each refuses with what it expected. */
import { InvalidArgumentError } from "commander";
import type { Amount } from "../planning/planning.ts";

/** `2%` is part of the baseline, `0.02` in the metric's own unit. */
export function amountFlag(text: string): Amount {
  const relative = text.trim().endsWith("%");
  const digits = relative ? text.trim().slice(0, -1) : text;
  const size = Number(digits);
  if (digits.trim() === "" || !Number.isFinite(size)) {
    throw new InvalidArgumentError("expected a number such as 0.02, or a part of the baseline such as 2%.");
  }
  return relative ? { size: size / 100, relative } : { size, relative };
}

/** `2%` or `0.02`, of at least 0. */
export function marginFlag(text: string): Amount {
  const amount = amountFlag(text);
  if (amount.size > 0) return amount;
  throw new InvalidArgumentError("expected a number above 0.");
}

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("expected a number.");
}

/** In (0, 1). */
export function properShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value < 1) return value;
  throw new InvalidArgumentError("expected a number between 0 and 1, such as 0.05.");
}

/** In [0, 1). */
export function partialShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < 1) return value;
  throw new InvalidArgumentError("expected a number from 0 to below 1, such as 0.4.");
}

/** In (0, 1]. */
function positiveShare(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("expected a number above 0 and at most 1, such as 0.3.");
}

/** `log`, or as above. */
export function triggerRateFlag(text: string): number | "log" {
  return text === "log" ? text : positiveShare(text);
}

/** `1,1,2`: control first. */
export function weightsFlag(text: string): number[] {
  const weights = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (weights.length >= 2 && weights.every((weight) => Number.isFinite(weight) && weight > 0)) return weights;
  throw new InvalidArgumentError("expected two or more weights above 0, control first, such as 1,1,2.");
}

/** `5000` on every day, or `5000,3000,2000`, the last repeating. */
export function unitsByDayFlag(text: string): number[] {
  const units = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const last = units.at(-1) ?? 0;
  if (units.every((one) => Number.isFinite(one) && one >= 0) && last > 0) return units;
  throw new InvalidArgumentError(
    "expected new units of each day, the last repeating, such as 5000,3000,2000.",
  );
}
