import type { CelEnv, parse } from "@bufbuild/cel";
import { invalidArgument } from "../domain/error.ts";
import { nearest } from "../schema/schema.ts";

/** An attribute that an expression reads and cannot do without; `has(user.x)` only asks. */
export interface AttributeRead {
  readonly entity: "user" | "context";
  readonly name: string;
}

type Parsed = ReturnType<typeof parse>;
type Expr = NonNullable<Parsed["expr"]>;

const variables = ["user", "context"];
/** Names that CEL gives to types, as in `type(user.age) == double`. */
const typeNames = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];

/**
 * Walks a parsed expression once, at load, and answers with the attributes it reads.
 * @throws {SetlistError} INVALID_ARGUMENT where it names a variable or a function that does not exist: at request time
 *   that would only ever target nobody.
 */
export function inspect(parsed: Parsed, env: CelEnv): readonly AttributeRead[] {
  const reads: AttributeRead[] = [];
  const known = new Set([...env.funcs].map((func) => func.name).filter((name) => /^\w+$/.test(name)));
  const refuse = (expr: Expr, what: string): never => {
    throw invalidArgument(`targeting: ${placeOf(parsed, expr)}${what}`);
  };

  const visit = (expr: Expr | undefined, scope: readonly string[]): void => {
    const kind = expr?.exprKind;
    switch (kind?.case) {
      case "identExpr": {
        const { name } = kind.value;
        if (scope.includes(name) || typeNames.includes(name)) return;
        refuse(expr as Expr, `no variable ${JSON.stringify(name)}${nearest(name, variables)}`);
        return;
      }
      case "selectExpr": {
        const entity = entityOf(kind.value.operand, scope);
        if (entity !== undefined && !kind.value.testOnly) reads.push({ entity, name: kind.value.field });
        visit(kind.value.operand, scope);
        return;
      }
      case "callExpr": {
        const { function: name, target, args } = kind.value;
        if (/^\w+$/.test(name) && !name.startsWith("_") && !known.has(name)) {
          refuse(expr as Expr, `no function ${JSON.stringify(name)}${nearest(name, [...known])}`);
        }
        const read = name === "_[_]" ? readByIndex(args, scope) : undefined;
        if (read !== undefined) reads.push(read);
        for (const part of [target, ...args]) visit(part, scope);
        return;
      }
      case "listExpr":
        for (const element of kind.value.elements) visit(element, scope);
        return;
      case "structExpr":
        for (const entry of kind.value.entries) {
          if (entry.keyKind.case === "mapKey") visit(entry.keyKind.value, scope);
          visit(entry.value, scope);
        }
        return;
      case "comprehensionExpr": {
        const { iterRange, accuInit, loopCondition, loopStep, result, accuVar, iterVar, iterVar2 } =
          kind.value;
        visit(iterRange, scope);
        visit(accuInit, scope);
        const inner = [...scope, accuVar, iterVar, iterVar2];
        for (const part of [loopCondition, loopStep]) visit(part, inner);
        visit(result, [...scope, accuVar]);
        return;
      }
    }
  };
  visit(parsed.expr, variables);
  return reads;
}

/** `user` or `context`, unless a comprehension's own variable hides it. */
function entityOf(expr: Expr | undefined, scope: readonly string[]): AttributeRead["entity"] | undefined {
  if (expr?.exprKind.case !== "identExpr") return undefined;
  const { name } = expr.exprKind.value;
  if (scope.lastIndexOf(name) >= variables.length) return undefined;
  return name === "user" || name === "context" ? name : undefined;
}

/** `user["country"]`. */
function readByIndex(args: readonly Expr[], scope: readonly string[]): AttributeRead | undefined {
  const [operand, index] = args;
  const entity = entityOf(operand, scope);
  if (entity === undefined || index?.exprKind.case !== "constExpr") return undefined;
  const { constantKind } = index.exprKind.value;
  return constantKind.case === "stringValue" ? { entity, name: constantKind.value } : undefined;
}

/** `column 7: `; empty where the parser kept no place. */
function placeOf(parsed: Parsed, expr: Expr): string {
  const offset = parsed.sourceInfo?.positions[expr.id.toString()];
  return offset === undefined ? "" : `column ${offset + 1}: `;
}
