import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { invalidArgument } from "../domain/error.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import { checkTargeting, describeRead } from "./targeting-check.ts";
import { attributeValue, type TargetingInput } from "./targeting-input.ts";
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
  const reads = checkTargeting(expression, parsed, env, declared);
  const evaluate = planExpression(parsed);
  const quick = planTargeting(parsed.expr);
  return {
    admits:
      quick === undefined
        ? (input) => evaluate({ ...input.maps() }) === true
        : (input) => quick(input) === true,
    refusal(input) {
      const result = evaluate({ ...input.maps() });
      if (result === true) return undefined;
      if (result === false) return { reason: "targeting", detail: `the targeting is false: ${expression}` };
      if (!isCelError(result)) {
        return { reason: "targeting", detail: `the targeting is neither true nor false: ${expression}` };
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

/** Knows CEL's standard functions; `matches` is RE2, linear in its input whatever the pattern. */
const env = celEnv();

function parseExpression(expression: string): ReturnType<typeof parse> {
  try {
    return parse(expression);
  } catch (error) {
    throw invalidArgument(
      `targeting: not a CEL expression: ${reasonOf(error)}, in ${JSON.stringify(expression)}`,
    );
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
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^<input>:(\d+):(\d+):/, "line $1, column $2:");
}
