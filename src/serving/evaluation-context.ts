import { invalidArgument, SetlistError } from "../domain/error.ts";
import type { AttributeValue, DeclaredAttributes } from "../domain/feature.ts";
import type { Limits } from "../domain/limits.ts";
import type { RequestFacts } from "../experiments/experiments.ts";
import { checkAttributes } from "./attributes.ts";
import { checkId } from "./id.ts";

/** OpenFeature's evaluation context as experiments understand it: who is asked about, and what targeting may read. */
export interface EvaluationContext {
  /** The context's `targetingKey`: the user's id, in the words of a rank request. */
  readonly user: string;
  readonly facts: RequestFacts;
}

/** What reading one needs to know of the server. */
export interface ContextRules {
  readonly limits: Limits;
  /** Undefined where attributes may be anything. */
  readonly attributes?: DeclaredAttributes | undefined;
}

/** Nobody can be assigned without one; OpenFeature has a code of its own for it. */
export class TargetingKeyMissing extends SetlistError {
  constructor(field: string) {
    super("INVALID_ARGUMENT", `${field}.targetingKey: expected the id of the user, but missing`);
  }
}

/**
 * Reads a context. Its objects `user` and `context` hold the attributes of the one and the other. OpenFeature's contexts
 * are mostly flat, and do not say which of the two an attribute belongs to: so a text, number or boolean beside the two
 * is an attribute of both, and what the objects say goes before it. Anything else that stands there (lists, objects,
 * null) is for others to read, and passed over. The texts `sessionId` and `requestId` are also the units of experiments
 * that split by these.
 * @param field names the context in messages.
 * @throws {TargetingKeyMissing} where there is none, or an empty one.
 * @throws {SetlistError} INVALID_ARGUMENT naming the field.
 */
export function parseEvaluationContext(
  value: unknown,
  field: string,
  { limits, attributes: declared }: ContextRules,
): EvaluationContext {
  if (!isRecord(value)) throw invalidArgument(`${field}: expected an object, got ${kindOf(value)}`);
  const { targetingKey, user, context, ...rest } = value;
  if (targetingKey === undefined || targetingKey === null || targetingKey === "") {
    throw new TargetingKeyMissing(field);
  }
  if (typeof targetingKey !== "string") {
    throw invalidArgument(`${field}.targetingKey: expected string, got ${kindOf(targetingKey)}`);
  }
  checkId(targetingKey, `${field}.targetingKey`, limits);
  const flat = Object.entries(rest).filter(isAttribute);
  const attributesOf = (entity: "user" | "context", own: unknown) =>
    checkAttributes(
      Object.fromEntries([...flat, ...ownAttributes(own, `${field}.${entity}`)]),
      `${field}.${entity}`,
      limits,
      declared?.[entity],
    );
  return {
    user: targetingKey,
    facts: {
      user: attributesOf("user", user),
      context: attributesOf("context", context),
      session: unitId(rest["sessionId"], `${field}.sessionId`, limits),
      request: unitId(rest["requestId"], `${field}.requestId`, limits),
    },
  };
}

function unitId(value: unknown, field: string, limits: Limits): string | undefined {
  if (typeof value !== "string") return undefined;
  checkId(value, field, limits);
  return value;
}

/** Whoever names an entity means Setlist's targeting: what it cannot read there is a mistake. */
function ownAttributes(own: unknown, field: string): [name: string, value: AttributeValue][] {
  if (own === undefined || own === null) return [];
  if (!isRecord(own)) throw invalidArgument(`${field}: expected an object of attributes, got ${kindOf(own)}`);
  return Object.entries(own).map((entry) => {
    if (isAttribute(entry)) return entry;
    throw invalidArgument(
      `${field}.${entry[0]}: expected string or number or boolean, got ${kindOf(entry[1])}`,
    );
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isAttribute(entry: [name: string, value: unknown]): entry is [name: string, value: AttributeValue] {
  return ["string", "number", "boolean"].includes(typeof entry[1]);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? "array" : typeof value;
}
