import { type CelEnv, CelScalar, type CelType, mapType, type parse } from "@bufbuild/cel";
import { invalidArgument } from "../domain/error.ts";
import type { DeclaredAttributes } from "../domain/feature.ts";
import { nearest } from "../schema/schema.ts";
import { celTypeOf, common, comparable, fits, isBool, isDyn, listOf, typeName } from "./cel-types.ts";

/** An attribute that an expression reads and cannot do without; `has(user.x)` only asks. */
export interface AttributeRead {
  readonly entity: Entity;
  readonly name: string;
}

export type Parsed = ReturnType<typeof parse>;
export type Expr = NonNullable<Parsed["expr"]>;

type Entity = "user" | "context";
type Kind<Case> = Extract<Expr["exprKind"], { case: Case }>["value"];
/** The types of the variables of macros that are in sight. */
type Scope = ReadonlyMap<string, CelType>;

const { BOOL, BYTES, DOUBLE, DYN, INT, NULL, STRING, TYPE, UINT } = CelScalar;
const variables = ["user", "context"];
/** Names that CEL gives to types, as in `type(user.age) == double`. */
const typeNames = ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type"];

/**
 * Checks the names and types of a parsed expression, once, where it is written, and answers with the attributes it
 * reads. The library has no checker of its own, but says what each of its functions takes and gives.
 * @param declared the attributes that there are; where undefined any may be read, and what they are shows at request
 *   time.
 * @throws {SetlistError} INVALID_ARGUMENT with the place of a variable, attribute or function that does not exist or
 *   cannot take what it is given, or where the whole is neither true nor false: at request time each would only ever
 *   target nobody.
 */
export function checkTargeting(
  expression: string,
  parsed: Parsed,
  env: CelEnv,
  declared: DeclaredAttributes | undefined,
): readonly AttributeRead[] {
  const reads: AttributeRead[] = [];
  const type = new Checker(parsed, env, declared, reads).typeOf(parsed.expr, new Map());
  if (isBool(type)) return reads;
  throw invalidArgument(
    `targeting: expected an expression that is true or false, but ${JSON.stringify(expression)} is neither: it is a ${typeName(type)}`,
  );
}

class Checker {
  readonly #parsed: Parsed;
  readonly #env: CelEnv;
  readonly #declared: DeclaredAttributes | undefined;
  readonly #reads: AttributeRead[];

  constructor(parsed: Parsed, env: CelEnv, declared: DeclaredAttributes | undefined, reads: AttributeRead[]) {
    this.#parsed = parsed;
    this.#env = env;
    this.#declared = declared;
    this.#reads = reads;
  }

  typeOf(expr: Expr | undefined, scope: Scope): CelType {
    const kind = expr?.exprKind;
    switch (kind?.case) {
      case "constExpr":
        return constantTypes[kind.value.constantKind.case ?? ""] ?? DYN;
      case "identExpr":
        return this.#variable(expr as Expr, kind.value.name, scope);
      case "selectExpr":
        return this.#selected(expr as Expr, kind.value, scope);
      case "callExpr":
        return this.#called(expr as Expr, kind.value, scope);
      case "listExpr":
        return listOf(kind.value.elements.map((element) => this.typeOf(element, scope)));
      case "structExpr":
        return this.#struct(kind.value, scope);
      case "comprehensionExpr":
        return this.#comprehension(expr as Expr, kind.value, scope);
      default:
        return DYN;
    }
  }

  #variable(expr: Expr, name: string, scope: Scope): CelType {
    const bound = scope.get(name);
    if (bound !== undefined) return bound;
    if (variables.includes(name)) return mapType(STRING, DYN);
    if (typeNames.includes(name)) return TYPE;
    return this.#refuse(expr, `no variable ${JSON.stringify(name)}${nearest(name, variables)}`);
  }

  #selected(expr: Expr, { operand, field, testOnly }: Kind<"selectExpr">, scope: Scope): CelType {
    const entity = entityOf(operand, scope);
    if (entity !== undefined) {
      const type = this.#attribute(expr, { entity, name: field }, !testOnly);
      return testOnly ? BOOL : type;
    }
    const type = this.typeOf(operand, scope);
    if (type.kind !== "map" && !isDyn(type)) {
      this.#refuse(expr, `a ${typeName(type)} has no field ${JSON.stringify(field)}`);
    }
    if (testOnly) return BOOL;
    return type.kind === "map" ? type.value : DYN;
  }

  #called(expr: Expr, { function: name, target, args }: Kind<"callExpr">, scope: Scope): CelType {
    if (name === "_[_]") return this.#indexed(expr, args, scope);
    const types = args.map((arg) => this.typeOf(arg, scope));
    const [first = DYN, second = DYN, third = DYN] = types;
    switch (name) {
      case "_&&_":
      case "_||_": {
        const unfit = types.findIndex((type) => !isBool(type));
        if (unfit >= 0) this.#refuseBoolean(args[unfit] as Expr, types[unfit] as CelType, name);
        return BOOL;
      }
      case "@not_strictly_false":
        return BOOL;
      case "_?_:_":
        if (!isBool(first)) this.#refuseBoolean(args[0] as Expr, first, "?:");
        return common([second, third]);
      case "_==_":
      case "_!=_":
        if (!comparable(first, second)) this.#refuseComparison(expr, first, second);
        return BOOL;
      case "@in":
        return this.#isIn(expr, first, second, args[1], scope);
    }
    return this.#function(expr, name, target && this.typeOf(target, scope), types);
  }

  /** Of the library's functions of that name, one must take the arguments. */
  #function(expr: Expr, name: string, target: CelType | undefined, types: readonly CelType[]): CelType {
    const group = this.#env.funcs.find(name);
    if (group === undefined) {
      const known = new Set([...this.#env.funcs].map((func) => func.name).filter((one) => /^\w+$/.test(one)));
      return this.#refuse(
        expr,
        `no function ${JSON.stringify(name)}${nearest(
          name,
          [...known].filter((one) => !one.startsWith("_")),
        )}`,
      );
    }
    const results = [...group]
      .filter((func) => {
        if ((func.target === undefined) !== (target === undefined)) return false;
        if (func.target !== undefined && target !== undefined && !fits(target, func.target)) return false;
        return (
          func.arguments.length === types.length &&
          func.arguments.every((wanted, i) => fits(types[i] as CelType, wanted))
        );
      })
      .map((func) => func.result);
    if (results.length > 0) return common(results);
    const given = [...(target === undefined ? [] : [target]), ...types].map(typeName);
    return this.#refuse(expr, `${spoken(name)} cannot be had of ${given.join(" and ") || "nothing"}`);
  }

  #isIn(expr: Expr, value: CelType, among: CelType, list: Expr | undefined, scope: Scope): CelType {
    if (list?.exprKind.case === "listExpr") {
      for (const element of list.exprKind.value.elements) {
        const type = this.typeOf(element, scope);
        if (!comparable(value, type)) this.#refuseComparison(element, value, type);
      }
    } else if (among.kind === "list" || among.kind === "map") {
      const type = among.kind === "list" ? among.element : among.key;
      if (!comparable(value, type)) this.#refuseComparison(expr, value, type);
    } else if (!isDyn(among)) {
      this.#refuse(expr, `expected a list or a map behind in, got a ${typeName(among)}`);
    }
    return BOOL;
  }

  /** `user["country"]`, or an element of a list or a map. */
  #indexed(expr: Expr, [operand, index]: readonly Expr[], scope: Scope): CelType {
    const entity = entityOf(operand, scope);
    const type = this.typeOf(operand, scope);
    const indexType = this.typeOf(index, scope);
    const constant = index?.exprKind.case === "constExpr" ? index.exprKind.value.constantKind : undefined;
    if (entity !== undefined && constant?.case === "stringValue") {
      return this.#attribute(expr, { entity, name: constant.value }, true);
    }
    if (entity !== undefined && this.#declared !== undefined) {
      return this.#refuse(expr, `expected an attribute's name in ${entity}[...], as a text`);
    }
    if (type.kind === "list") {
      if (!comparable(indexType, INT))
        this.#refuse(expr, `a list has no element of a ${typeName(indexType)}`);
      return type.element;
    }
    if (type.kind === "map") {
      if (!comparable(indexType, type.key)) this.#refuseComparison(expr, type.key, indexType);
      return type.value;
    }
    return isDyn(type) ? DYN : this.#refuse(expr, `a ${typeName(type)} has no elements`);
  }

  #struct({ entries, messageName }: Kind<"structExpr">, scope: Scope): CelType {
    const keys: CelType[] = [];
    const values: CelType[] = [];
    for (const { keyKind, value } of entries) {
      if (keyKind.case === "mapKey") keys.push(this.typeOf(keyKind.value, scope));
      values.push(this.typeOf(value, scope));
    }
    if (messageName !== "") return DYN;
    return mapType(common(keys) as Parameters<typeof mapType>[0], common(values));
  }

  #comprehension(expr: Expr, macro: Kind<"comprehensionExpr">, scope: Scope): CelType {
    const range = this.typeOf(macro.iterRange, scope);
    if (range.kind !== "list" && range.kind !== "map" && !isDyn(range)) {
      this.#refuse(macro.iterRange ?? expr, `expected a list or a map, got a ${typeName(range)}`);
    }
    const element = range.kind === "list" ? range.element : range.kind === "map" ? range.key : DYN;
    const accumulated = new Map(scope).set(macro.accuVar, this.typeOf(macro.accuInit, scope));
    const inner = new Map(accumulated).set(macro.iterVar, element);
    if (macro.iterVar2 !== "") inner.set(macro.iterVar2, DYN);
    this.typeOf(macro.loopCondition, inner);
    this.typeOf(macro.loopStep, inner);
    return this.typeOf(macro.result, accumulated);
  }

  #attribute(expr: Expr, read: AttributeRead, isNeeded: boolean): CelType {
    const { entity, name } = read;
    if (isNeeded) this.#reads.push(read);
    if (this.#declared === undefined) return DYN;
    const attributes = this.#declared[entity];
    const type = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (type !== undefined) return celTypeOf(type);
    return this.#refuse(expr, `no attribute ${describeRead(read)}${nearest(name, Object.keys(attributes))}`);
  }

  #refuseBoolean(expr: Expr, type: CelType, operator: string): never {
    return this.#refuse(expr, `expected true or false for ${spoken(operator)}, got a ${typeName(type)}`);
  }

  #refuseComparison(expr: Expr, one: CelType, other: CelType): never {
    return this.#refuse(expr, `a ${typeName(one)} never equals a ${typeName(other)}`);
  }

  #refuse(expr: Expr, what: string): never {
    throw invalidArgument(`targeting: ${placeOf(this.#parsed, expr)}${what}`);
  }
}

const constantTypes: Readonly<Record<string, CelType>> = {
  stringValue: STRING,
  bytesValue: BYTES,
  boolValue: BOOL,
  doubleValue: DOUBLE,
  int64Value: INT,
  uint64Value: UINT,
  nullValue: NULL,
};

export function describeRead({ entity, name }: AttributeRead): string {
  return /^\w+$/.test(name) ? `${entity}.${name}` : `${entity}[${JSON.stringify(name)}]`;
}

/** `user` or `context`, unless a macro's own variable hides it. */
export function entityOf(expr: Expr | undefined, scope?: ReadonlyMap<string, unknown>): Entity | undefined {
  if (expr?.exprKind.case !== "identExpr") return undefined;
  const { name } = expr.exprKind.value;
  if (scope?.has(name) === true) return undefined;
  return name === "user" || name === "context" ? name : undefined;
}

/** `>=` for `_>=_`. */
function spoken(name: string): string {
  return /^\w+$/.test(name) && !name.startsWith("_") ? name : name.replaceAll(/[@_]/g, "");
}

/** `column 7: `; empty where the parser kept no place. */
export function placeOf(parsed: Parsed, expr: Expr): string {
  const offset = parsed.sourceInfo?.positions[expr.id.toString()];
  return offset === undefined ? "" : `column ${offset + 1}: `;
}
