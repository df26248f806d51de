import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import { invalidArgument } from "../domain/error.ts";
import type { Attributes, AttributeValue } from "../domain/feature.ts";
import { type AttributeRead, inspect } from "./targeting-check.ts";

/** What a unit's request says about itself. */
export interface TargetingAttributes {
  readonly user: Attributes;
  readonly context: Attributes;
}

/** Attributes as CEL reads them. Maps, not objects: nothing is inherited, so `user.constructor` is missing. */
export interface TargetingInput {
  readonly user: ReadonlyMap<string, AttributeValue>;
  readonly context: ReadonlyMap<string, AttributeValue>;
}

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

export function targetingInput(attributes: TargetingAttributes): TargetingInput {
  return {
    user: new Map(Object.entries(attributes.user)),
    context: new Map(Object.entries(attributes.context)),
  };
}

/**
 * Compiles a CEL expression over the maps `user` and `context`, whose entries are the request's attributes: texts,
 * doubles and booleans. CEL's own logic holds: `user.a == 1 || context.b == 2` targets a request that lacks one of
 * the two when the other is true.
 * @throws {SetlistError} INVALID_ARGUMENT with the place in the expression where it is no CEL, names a variable or a
 *   function that does not exist; also where anyone can see that it is neither true nor false, as of `1 + 1`.
 */
export function compileTargeting(expression: string): Targeting {
  const parsed = parseExpression(expression);
  const reads = inspect(parsed, env);
  const evaluate = planExpression(parsed);
  refuseNoBoolean(
    expression,
    parsed,
    reads.length === 0 ? evaluate({ user: new Map(), context: new Map() }) : undefined,
  );
  return {
    admits: (input) => evaluate({ user: input.user, context: input.context }) === true,
    refusal(input) {
      const result = evaluate({ user: input.user, context: input.context });
      if (result === true) return undefined;
      if (result === false) return { reason: "targeting", detail: `the targeting is false: ${expression}` };
      if (!isCelError(result)) {
        return { reason: "targeting", detail: `the targeting is neither true nor false: ${expression}` };
      }
      const missing = reads.find(({ entity, name }) => !input[entity].has(name));
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

const arithmetic = ["_+_", "_-_", "_*_", "_/_", "_%_", "-_"];

/** @param constant what it is of an expression that reads no attribute, and undefined of any other. */
function refuseNoBoolean(expression: string, parsed: ReturnType<typeof parse>, constant: unknown): void {
  const root = parsed.expr?.exprKind;
  const calculates = root?.case === "callExpr" && arithmetic.includes(root.value.function);
  const unfit = constant !== undefined && typeof constant !== "boolean" && !isCelError(constant);
  if (!calculates && !unfit) return;
  throw invalidArgument(
    `targeting: expected an expression that is true or false, but ${JSON.stringify(expression)} is neither`,
  );
}

function describeRead({ entity, name }: AttributeRead): string {
  return /^\w+$/.test(name) ? `${entity}.${name}` : `${entity}[${JSON.stringify(name)}]`;
}
