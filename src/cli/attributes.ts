import { InvalidArgumentError } from "commander";
import { messageOf } from "../domain/error.ts";
import type { AttributeValue } from "../domain/feature.ts";
import type { TargetingAttributes } from "../experiments/experiments.ts";

type Entity = "user" | "context";

/**
 * A parser for `--attributes`: `{"user": {"country": "DE"}, "context": {"device": "ios"}}` as the API has it, the
 * short form `{"user.country": "DE", "context.device": "ios"}`, or a mixture; a name without either is a user's.
 */
export function attributesFlag(text: string): TargetingAttributes {
  const attributes = { user: new Map<string, AttributeValue>(), context: new Map<string, AttributeValue>() };
  for (const [name, value] of Object.entries(parseObject(text))) {
    if ((name === "user" || name === "context") && isRecord(value)) {
      for (const [inner, one] of Object.entries(value))
        attributes[name].set(inner, scalar(`${name}.${inner}`, one));
      continue;
    }
    const [, entity = "user", rest = name] = /^(user|context)\.(.+)$/s.exec(name) ?? [];
    attributes[entity as Entity].set(rest, scalar(name, value));
  }
  return { user: Object.fromEntries(attributes.user), context: Object.fromEntries(attributes.context) };
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (error) {
    throw new InvalidArgumentError(`expected JSON: ${messageOf(error)}.`);
  }
  throw new InvalidArgumentError('expected a JSON object such as {"user": {"country": "DE"}}.');
}

function scalar(name: string, value: unknown): AttributeValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw new InvalidArgumentError(`expected a text, number or boolean for ${JSON.stringify(name)}.`);
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
