import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { LRUCache } from "lru-cache";
import { invalidArgument, messageOf } from "../domain/error.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import { isNestedTooDeeply } from "./expression-depth.ts";
import { type AttributeRead, checkTargeting, describeRead } from "./targeting-check.ts";
import { checkTargetingCost } from "./targeting-cost.ts";
import { attributeValue, type TargetingInput, targetingTextMax } from "./targeting-input.ts";
import { compiledPattern } from "./targeting-pattern.ts";
import { planTargeting } from "./targeting-plan.ts";

/** Why a request is not targeted. */
interface TargetingRefusal {
  readonly reason: "targeting" | "targeting-attribute-missing";
  readonly detail: string;
}

/** A compiled targeting expression. It never throws: what cannot be evaluated targets nobody. */
export interface Targeting {
  admits(input: TargetingInput): boolean;
  /** Undefined where the request is targeted. */
  refusal(input: TargetingInput): TargetingRefusal | undefined;
}

/**
 * Compiles a CEL expression over the maps `user` and `context`, whose entries are the request's attributes: texts,
 * doubles and booleans. CEL's own logic holds: `user.a == 1 || context.b == 2` targets a request that lacks one of
 * the two when the other is true.
 * @param declared the attributes that there are; where undefined any may be read.
 * @throws {SetlistError} INVALID_ARGUMENT with the place in the expression where it is no CEL, names a variable, an
 *   attribute or a function that does not exist, or does not fit in its types; `1 + 1` is neither true nor false.
 */
export function compileTargeting(expression: string, declared?: DeclaredAttributes): Targeting {
  const parsed = parseExpression(expression);
  const reads = checkedReads(expression, parsed, declared);
  checkTargetingCost(parsed);
  const evaluate = planExpression(parsed);
  const quick = planTargeting(parsed.expr);
  const admits =
    quick === undefined
      ? (input: TargetingInput) =>
          overlong(reads, input) === undefined && evaluate({ ...input.maps() }) === true
      : (input: TargetingInput) => quick(input) === true;
  return {
    admits,
    refusal(input) {
      if (admits(input)) return undefined;
      const long = quick === undefined ? overlong(reads, input) : undefined;
      if (long !== undefined) {
        return {
          reason: "targeting",
          detail: `the targeting reads ${describeRead(long)}, which is longer than ${targetingTextMax} characters: ${expression}`,
        };
      }
      const result = evaluate({ ...input.maps() });
      if (!isCelError(result)) {
        const what = typeof result === "boolean" ? "false" : "neither true nor false";
        return { reason: "targeting", detail: `the targeting is ${what}: ${expression}` };
      }
      const missing = reads.find(({ entity, name }) => attributeValue(input[entity], name) === undefined);
      if (missing === undefined) {
        return {
          reason: "targeting",
          detail: `the targeting cannot be evaluated (${result.message}): ${expression}`,
        };
      }
      return {
        reason: "targeting-attribute-missing",
        detail: `the targeting reads ${describeRead(missing)}, which the request does not carry: ${expression}`,
      };
    },
  };
}

/** Every change of anything compiles all experiments anew, on a thread that answers, and parsing takes about 1 ms. */
const kept = new LRUCache<string, Targeting>({ max: 5_000 });

/** The same of an expression that was accepted once, whatever attributes are declared by now; kept. */
export function keptTargeting(expression: string): Targeting {
  const known = kept.get(expression);
  if (known !== undefined) return known;
  const made = compileTargeting(expression);
  kept.set(expression, made);
  return made;
}

/** The first text that is read and longer than the library may be given. */
function overlong(reads: readonly AttributeRead[], input: TargetingInput): AttributeRead | undefined {
  return reads.find(({ entity, name }) => {
    const value = attributeValue(input[entity], name);
    return typeof value === "string" && value.length > targetingTextMax;
  });
}

/** Knows CEL's standard functions. */
const env = celEnv({ re2: { compile: compiledPattern } });

function parseExpression(expression: string): ReturnType<typeof parse> {
  try {
    if (isNestedTooDeeply(expression)) throw new RangeError();
    return parse(expression);
  } catch (error) {
    throw invalidArgument(
      `targeting: not a CEL expression: ${reasonOf(error)}, in ${JSON.stringify(expression)}`,
    );
  }
}

function checkedReads(
  expression: string,
  parsed: ReturnType<typeof parse>,
  declared: DeclaredAttributes | undefined,
): readonly AttributeRead[] {
  try {
    return checkTargeting(expression, parsed, env, declared);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidArgument(`targeting: not a usable CEL expression: ${reasonOf(error)}`);
  }
}

function planExpression(parsed: ReturnType<typeof parse>): ReturnType<typeof plan> {
  try {
    return plan(env, parsed);
  } catch (error) {
    throw invalidArgument(`targeting: not a usable CEL expression: ${reasonOf(error)}`);
  }
}

/** `line 1, column 14: found = but …`; the parser itself says `<input>:1:14: …`. */
function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return "nested too deeply";
  const message = messageOf(error);
  return message.replace(/^<input>:(\d+):(\d+):/, "line $1, column $2:");
}
