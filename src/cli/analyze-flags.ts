/** Parsers of the flags of `setlist analyze`; each refuses with what it expected. */
import { InvalidArgumentError } from "commander";
import type { ArmPolicy, SegmentAttribute } from "../designs/designs.ts";

/** Of a flag that may be repeated. */
export function addText(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}

export function addSparkSetting(text: string, before: readonly string[] | undefined): string[] {
  if (!/^[^=\s]+=/.test(text)) throw new InvalidArgumentError("expected KEY=VALUE.");
  return [...(before ?? []), text];
}

export function addCovariate(
  text: string,
  before: ReadonlyMap<string, readonly string[]> | undefined,
): ReadonlyMap<string, readonly string[]> {
  const split = text.indexOf("=");
  const name = text.slice(0, split);
  if (split < 1 || split === text.length - 1) throw new InvalidArgumentError("expected NAME=COLUMN.");
  const column = text.slice(split + 1);
  const others = before?.get(name) ?? [];
  if (others.includes(column)) throw new InvalidArgumentError(`metric ${name} already has ${column}.`);
  return new Map([...(before ?? []), [name, [...others, column]]]);
}

export function addSegment(
  text: string,
  before: readonly SegmentAttribute[] | undefined,
): readonly SegmentAttribute[] {
  const attribute = segmentIn(text);
  if (before?.some((one) => JSON.stringify(one) === JSON.stringify(attribute)))
    throw new InvalidArgumentError(`"${text}" is named twice.`);
  return [...(before ?? []), attribute];
}

function segmentIn(text: string): SegmentAttribute {
  if (text === "activity") return { of: text };
  if (text.startsWith("item.")) {
    throw new InvalidArgumentError(
      "a unit sees many items: declare a metric with a filter on items, such as item.features.isNew == true.",
    );
  }
  const [, of, name] = /^(user|context)\.(.+)$/s.exec(text) ?? [];
  if ((of !== "user" && of !== "context") || name === undefined)
    throw new InvalidArgumentError("expected user.NAME, context.NAME or activity, such as user.country.");
  return { of, name };
}

/** Weights as of a split; the policy has them as probabilities. */
export function addPolicy(text: string, before: readonly ArmPolicy[] | undefined): readonly ArmPolicy[] {
  const weights = parseWeights(text);
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const policy = new Map([...weights].map(([arm, weight]) => [arm, weight / total]));
  return [...(before ?? []), policy];
}

/** `control=1,treated=1`; an arm's name may hold `=`, but no comma. */
export function parseWeights(text: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of text.split(",")) {
    const split = part.lastIndexOf("=");
    const weight = Number(part.slice(split + 1));
    const valid = split > 0 && split < part.length - 1 && Number.isFinite(weight) && weight >= 0;
    if (!valid) throw new InvalidArgumentError(`expected ARM=WEIGHT, a weight from 0, got "${part}".`);
    if (weights.has(part.slice(0, split))) throw new InvalidArgumentError(`"${part}" repeats an arm.`);
    weights.set(part.slice(0, split), weight);
  }
  if ([...weights.values()].every((weight) => weight === 0)) {
    throw new InvalidArgumentError("expected a weight above 0 for at least one arm.");
  }
  return weights;
}

/** Half of it, shared among many comparisons, is to be a number above 0 still. */
const alphaMin = 1e-100;

export function parseAlpha(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= alphaMin && value < 1) return value;
  throw new InvalidArgumentError("expected a number between 0 and 1, such as 0.05.");
}
