/**
 * Which outcomes a metric counts, as CEL over `outcome` and `item`. It is worked out where the log is, in SQL, whose NULL
 * behaves in `&&`, `||` and `!` as an error does in CEL: so the part of CEL that SQL says the same of is all that there is.
 */
import { parse } from "@bufbuild/cel";
import { invalidArgument } from "../domain/error.ts";
import { nearest } from "../schema/schema.ts";
import { isNestedTooDeeply } from "./expression-depth.ts";
import { type Expr, placeOf } from "./targeting-check.ts";

/** A feature is text, number or boolean as what it is compared with. */
export type FilterType = "text" | "number" | "boolean";

export type FilterTerm =
  | { readonly kind: "constant"; readonly value: string | number | boolean }
  | { readonly kind: "field"; readonly field: OutcomeField }
  | { readonly kind: "feature"; readonly name: string; readonly type: FilterType }
  | { readonly kind: "has"; readonly term: FilterTerm }
  | { readonly kind: "not"; readonly term: FilterTerm }
  | { readonly kind: "and" | "or"; readonly terms: readonly FilterTerm[] }
  | {
      readonly kind: "compare";
      readonly operator: Comparison;
      readonly left: FilterTerm;
      readonly right: FilterTerm;
    }
  | { readonly kind: "in"; readonly term: FilterTerm; readonly options: readonly FilterTerm[] }
  | {
      readonly kind: "text";
      readonly test: TextTest;
      readonly text: FilterTerm;
      readonly part: FilterTerm;
    };

export type OutcomeField = "outcome.type" | "outcome.value" | "item.id" | "item.position";
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type TextTest = "startsWith" | "endsWith" | "contains";

const fieldTypes: Readonly<Record<OutcomeField, FilterType>> = {
  "outcome.type": "text",
  "outcome.value": "number",
  "item.id": "text",
  "item.position": "number",
};
const known = [...Object.keys(fieldTypes), "item.features.NAME"];
const comparisons: readonly string[] = ["==", "!=", "<", "<=", ">", ">="];
const textTests: readonly string[] = ["startsWith", "endsWith", "contains"];

/** Deep enough for whatever people write, and far from where SQL's own parsers stop. */
const depthMax = 50;

/**
 * @param place names the filter in messages.
 * @throws {SetlistError} INVALID_ARGUMENT with the column in the expression where it is no CEL, reads what an outcome
 *   does not have, uses what SQL has not, or does not fit in its types.
 */
export function parseMetricFilter(expression: string, place: string): FilterTerm {
  let parsed: ReturnType<typeof parse>;
  try {
    if (isNestedTooDeeply(expression)) throw new RangeError();
    parsed = parse(expression);
  } catch (error) {
    const message = error instanceof RangeError ? "nested too deeply" : (error as Error).message;
    throw invalidArgument(
      `${place}: not a CEL expression: ${message.replace(/^<input>:(\d+):(\d+):/, "line $1, column $2:")}, in ${JSON.stringify(expression)}`,
    );
  }
  const refuse: Refuse = (expr, what) => {
    throw invalidArgument(`${place}: ${expr === undefined ? "" : placeOf(parsed, expr)}${what}`);
  };
  const term = termOf(parsed.expr, "boolean", refuse, 0);
  const type = typeOf(term);
  if (type !== "boolean") {
    return refuse(parsed.expr, `expected an expression that is true or false, got a ${type}`);
  }
  return term;
}

type Refuse = (expr: Expr | undefined, what: string) => never;

/** @param wanted what a feature is taken for where nothing else says. */
function termOf(expr: Expr | undefined, wanted: FilterType, refuse: Refuse, depth: number): FilterTerm {
  if (depth > depthMax) refuse(expr, "nested too deeply");
  const kind = expr?.exprKind;
  switch (kind?.case) {
    case "constExpr":
      return constantOf(expr as Expr, refuse);
    case "selectExpr": {
      // Whether it is there is asked of it as it is.
      const { testOnly } = kind.value;
      const term = selected(expr as Expr, testOnly ? "text" : wanted, refuse);
      return testOnly ? { kind: "has", term } : term;
    }
    case "callExpr": {
      const { function: name, target, args } = kind.value;
      if (target !== undefined) return textTestOf(expr as Expr, name, [target, ...args], refuse, depth);
      return callOf(expr as Expr, name, args, wanted, refuse, depth);
    }
    default:
      return refuse(
        expr,
        `expected comparisons of ${known.join(", ")}, joined by &&, || and !, which is what a metric's filter may hold`,
      );
  }
}

function constantOf(expr: Expr, refuse: Refuse): FilterTerm {
  const constant = expr.exprKind.case === "constExpr" ? expr.exprKind.value.constantKind : undefined;
  switch (constant?.case) {
    case "stringValue":
    case "boolValue":
      return { kind: "constant", value: constant.value };
    case "doubleValue":
    case "int64Value":
    case "uint64Value": {
      const value = Number(constant.value);
      return Number.isFinite(value) ? { kind: "constant", value } : refuse(expr, "expected a finite number");
    }
    default:
      return refuse(expr, "expected a text, a number, true or false");
  }
}

function selected(expr: Expr, wanted: FilterType, refuse: Refuse): FilterTerm {
  const path = pathOf(expr);
  if (path === undefined) return refuse(expr, `expected one of ${known.join(", ")}`);
  const [entity, field, name] = path;
  if (entity === "item" && field === "features" && name !== undefined && path.length === 3) {
    return featureOf(expr, name, wanted, refuse);
  }
  const read = path.join(".");
  if (Object.hasOwn(fieldTypes, read)) return { kind: "field", field: read as OutcomeField };
  return refuse(expr, `no ${read}${nearest(read, known)}`);
}

function featureOf(expr: Expr, name: string, type: FilterType, refuse: Refuse): FilterTerm {
  if (/^[\w-]{1,256}$/.test(name)) return { kind: "feature", name, type };
  return refuse(expr, "expected a feature whose name is of A-Z a-z 0-9 _ -");
}

/** `item.features["a-b"]` is `["item", "features", "a-b"]`. */
function pathOf(expr: Expr | undefined): string[] | undefined {
  const kind = expr?.exprKind;
  if (kind?.case === "identExpr") return [kind.value.name];
  if (kind?.case === "selectExpr") {
    const before = pathOf(kind.value.operand);
    return before === undefined ? undefined : [...before, kind.value.field];
  }
  if (kind?.case !== "callExpr" || kind.value.function !== "_[_]") return undefined;
  const [operand, index] = kind.value.args;
  const before = pathOf(operand);
  const constant = index?.exprKind.case === "constExpr" ? index.exprKind.value.constantKind : undefined;
  if (before === undefined || constant?.case !== "stringValue") return undefined;
  return [...before, constant.value];
}

function callOf(
  expr: Expr,
  name: string,
  args: readonly Expr[],
  wanted: FilterType,
  refuse: Refuse,
  depth: number,
): FilterTerm {
  const inner = (arg: Expr | undefined, type: FilterType): FilterTerm => termOf(arg, type, refuse, depth + 1);
  if (name === "_[_]") return selected(expr, wanted, refuse);
  if (name === "_&&_" || name === "_||_") {
    const terms = args.map((arg) => boolean(arg, inner(arg, "boolean"), refuse));
    return { kind: name === "_&&_" ? "and" : "or", terms };
  }
  if (name === "!_") return { kind: "not", term: boolean(args[0], inner(args[0], "boolean"), refuse) };
  if (name === "-_") {
    const term = inner(args[0], "number");
    if (term.kind === "constant" && typeof term.value === "number") {
      return { kind: "constant", value: -term.value };
    }
    return refuse(expr, "expected a number after -");
  }
  if (name === "@in") return membershipOf(expr, args, refuse, depth);
  const operator = /[a-z]/i.test(name) ? name : name.replaceAll("_", "");
  if (!comparisons.includes(operator)) {
    return refuse(
      expr,
      `no ${operator} in a metric's filter, which has ${[...comparisons, "in", ...textTests].join(" ")}`,
    );
  }
  const [first, second] = args;
  // What the one side is says as what a feature on the other side is read; of two features an order is one of numbers.
  const alone = operator === "==" || operator === "!=" ? "text" : "number";
  const left = isFeature(first)
    ? inner(first, isFeature(second) ? alone : typeOf(inner(second, alone)))
    : inner(first, alone);
  const right = inner(second, typeOf(left));
  sameType(expr, left, right, refuse);
  if (typeOf(left) === "boolean" && operator !== "==" && operator !== "!=") {
    return refuse(expr, "true and false have no order here");
  }
  return { kind: "compare", operator: operator as Comparison, left, right };
}

function isFeature(expr: Expr | undefined): boolean {
  return pathOf(expr)?.slice(0, 2).join(".") === "item.features";
}

/** One of several constants, or, as `"a-b" in item.features`, whether there is such a feature. */
function membershipOf(expr: Expr, args: readonly Expr[], refuse: Refuse, depth: number): FilterTerm {
  if (pathOf(args[1])?.join(".") === "item.features") {
    const name = termOf(args[0], "text", refuse, depth + 1);
    if (name.kind !== "constant" || typeof name.value !== "string") {
      return refuse(expr, "expected a feature's name before in item.features");
    }
    return { kind: "has", term: featureOf(expr, name.value, "text", refuse) };
  }
  const list = args[1]?.exprKind;
  if (list?.case !== "listExpr" || list.value.elements.length === 0) {
    return refuse(expr, "expected a list of constants after in");
  }
  const options = list.value.elements.map((element) => termOf(element, "text", refuse, depth + 1));
  const [first] = options as [FilterTerm];
  const term = termOf(args[0], typeOf(first), refuse, depth + 1);
  for (const option of options) {
    if (option.kind !== "constant") refuse(expr, "expected a list of constants after in");
    sameType(expr, term, option, refuse);
  }
  return { kind: "in", term, options };
}

function textTestOf(
  expr: Expr,
  name: string,
  args: readonly Expr[],
  refuse: Refuse,
  depth: number,
): FilterTerm {
  if (!textTests.includes(name) || args.length !== 2) {
    return refuse(
      expr,
      `no function ${JSON.stringify(name)} in a metric's filter${nearest(name, textTests)}`,
    );
  }
  const [text, part] = args.map((arg) => termOf(arg, "text", refuse, depth + 1)) as [FilterTerm, FilterTerm];
  const other = [text, part].find((term) => typeOf(term) !== "text");
  if (other !== undefined) return refuse(expr, `expected texts for ${name}, got a ${typeOf(other)}`);
  return { kind: "text", test: name as TextTest, text, part };
}

function boolean(expr: Expr | undefined, term: FilterTerm, refuse: Refuse): FilterTerm {
  const type = typeOf(term);
  return type === "boolean" ? term : refuse(expr, `expected true or false, got a ${type}`);
}

function sameType(expr: Expr, left: FilterTerm, right: FilterTerm, refuse: Refuse): void {
  const [one, other] = [typeOf(left), typeOf(right)];
  if (one !== other) refuse(expr, `a ${one} is never compared with a ${other}`);
}

function typeOf(term: FilterTerm): FilterType {
  switch (term.kind) {
    case "constant":
      return typeof term.value === "string" ? "text" : typeof term.value === "number" ? "number" : "boolean";
    case "field":
      return fieldTypes[term.field];
    case "feature":
      return term.type;
    default:
      return "boolean";
  }
}
