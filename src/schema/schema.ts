/**
 * From a JSON Schema to a parser that answers with a typed value or with a sentence: which field, what was expected,
 * and the nearest valid name where a name is unknown. One mechanism for HTTP bodies, configuration, manifests and
 * experiment documents.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { closest, distance } from "fastest-levenshtein";
import type { Static, TSchema } from "typebox";
import { invalidArgument } from "../domain/error.ts";

/** Strings with `"x-bytesMax": n` hold at most n bytes of UTF-8; `maxLength` would count characters. */
const bytesMaxKeyword = "x-bytesMax";

/** Compiles a schema for `parserOf`'s errors. Numbers must be finite; nothing is coerced, removed or filled in. */
export function compileSchema(schema: object): ValidateFunction {
  return ajv.compile(schema);
}

/**
 * A parser of `schema`. Its `what` names the whole value in messages, such as a file or `body`.
 * The parser throws INVALID_ARGUMENT with the first thing that is wrong.
 */
export function parserOf<S extends TSchema>(schema: S): (value: unknown, what: string) => Static<S> {
  const validate = compileSchema(schema);
  return (value, what) => {
    if (validate(value)) return value as Static<S>;
    throw invalidArgument(describeSchemaError(validate.errors ?? [], what));
  };
}

/** One sentence for the first error: `candidates[3].id: expected …`. */
export function describeSchemaError(errors: readonly ErrorObject[], what: string): string {
  const error = mostTelling(errors);
  if (error === undefined) return `${what}: not valid`;
  const field = fieldOf(error.instancePath) || what;
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownField(error, String(params["additionalProperty"]));
    case "required": {
      // Often the missing one under a wrong name, which says more, and where a file has it.
      const unknown = firstMistyped(error);
      if (unknown !== undefined) return unknownField(error, unknown);
      return `${join(error.instancePath, String(params["missingProperty"]))}: expected, but missing`;
    }
    case "type":
      return `${field}: expected ${[params["type"]].flat().join(" or ")}, got ${kindOf(error.data)}`;
    case "enum":
    case "const": {
      const allowed = (params["allowedValues"] as unknown[] | undefined) ?? [params["allowedValue"]];
      return oneOf(field, allowed.map(String), error.data);
    }
    case bytesMaxKeyword:
      return `${field}: expected at most ${String(error.schema)} bytes`;
    case "pattern": {
      const meant: unknown = error.parentSchema?.["description"];
      return `${field}: expected ${meant ?? `what matches ${String(error.schema)}`}, got ${show(error.data)}`;
    }
    case "anyOf": {
      if (literalsOf(error).length > 0) return oneOf(field, literalsOf(error), error.data);
      const meant: unknown = error.parentSchema?.["x-expected"];
      if (meant !== undefined) return `${field}: expected ${meant}, got ${show(error.data)}`;
      return `${field}: none of the allowed forms, got ${show(error.data)}`;
    }
    default:
      return `${field}: ${error.message ?? "not valid"}, got ${show(error.data)}`;
  }
}

function unknownField(error: ErrorObject, unknown: string): string {
  return `${join(error.instancePath, plain(unknown))}: unknown field${nearest(unknown, knownFields(error))}`;
}

/** The first field that is none of its schema's and has a name near to one; undefined where the schema takes any. */
function firstMistyped(error: ErrorObject): string | undefined {
  if (error.parentSchema?.["additionalProperties"] !== false) return undefined;
  const known = knownFields(error);
  return Object.keys(error.data as object).find(
    (name) => !known.includes(name) && didYouMean(name, known) !== "",
  );
}

function knownFields({ parentSchema }: ErrorObject): string[] {
  return Object.keys((parentSchema?.["properties"] as object | undefined) ?? {});
}

/** ` (did you mean "x"?)` for the nearest of `known`, or all of them where none is near. */
export function nearest(name: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  return didYouMean(name, known) || ` (known: ${known.join(", ")})`;
}

/** Empty where none of `known` is near. */
function didYouMean(name: string, known: readonly string[]): string {
  if (name.length > nameCharactersMax) return "";
  const candidate = closest(name, [...known]);
  const near = distance(name, candidate) <= Math.max(1, Math.ceil(candidate.length / 2));
  return near ? ` (did you mean "${candidate}"?)` : "";
}

/** Longer names are near to none: to measure how near would take time in proportion, on whoever answers. */
const nameCharactersMax = 256;

/** A name that somebody else wrote, on one line: quoted where it would break out of a sentence. */
function plain(name: string): string {
  return /[\p{C}\p{Z}]/u.test(name) ? JSON.stringify(name) : name;
}

/**
 * `.` is any character: the names of a record are "^.*$", and the value of one that has a line break in it would be
 * held against nothing.
 */
const regExp = Object.assign((pattern: string, flags: string) => new RegExp(pattern, `${flags}s`), {
  code: "regExp",
});

const ajv = new Ajv({
  code: { regExp },
  allErrors: false,
  verbose: true,
  strict: false,
  strictNumbers: true,
  allowUnionTypes: true,
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  validateFormats: false,
});
ajv.addKeyword({
  keyword: bytesMaxKeyword,
  type: "string",
  schemaType: "number",
  validate: (limit: number, text: string) => Buffer.byteLength(text) <= limit,
});

/** In a union the branches' own errors say more than "none matches", if they come from deeper inside. */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const union = errors.find((error) => error.keyword === "anyOf");
  if (union === undefined) return errors[0];
  const inside = errors.filter((error) => error.instancePath.length > union.instancePath.length);
  const [first = union, ...others] = inside;
  // Each branch stops at its first fault: the one that came furthest through a list is the one that was meant.
  const furthest = others.reduce((best, error) => (isFurther(error, best) ? error : best), first);
  return { ...furthest, params: { ...furthest.params, ...typesAt(furthest, inside) } };
}

function isFurther(error: ErrorObject, than: ErrorObject): boolean {
  const [list, element] = placeInList(error);
  const [otherList, otherElement] = placeInList(than);
  return list === otherList && element > otherElement;
}

/** `/genres/1` to `["/genres", 1]`. */
function placeInList({ instancePath }: ErrorObject): [list: string, element: number] {
  const slash = instancePath.lastIndexOf("/");
  return [instancePath.slice(0, slash), Number(instancePath.slice(slash + 1))];
}

/** Where branches fail at the same place, each for its own type, any of their types would have done. */
function typesAt(
  { keyword, instancePath }: ErrorObject,
  errors: readonly ErrorObject[],
): { type?: unknown[] } {
  if (keyword !== "type") return {};
  const same = errors.filter((error) => error.keyword === "type" && error.instancePath === instancePath);
  return { type: [...new Set(same.flatMap((error) => (error.params as { type: unknown }).type))] };
}

/** The values of a union of literals, empty where the union holds anything else. */
function literalsOf(union: ErrorObject): string[] {
  const branches = union.schema as { const?: unknown }[];
  return branches.every((branch) => branch.const !== undefined)
    ? branches.map((branch) => String(branch.const))
    : [];
}

function oneOf(field: string, allowed: string[], got: unknown): string {
  const hint = typeof got === "string" ? didYouMean(got, allowed) : "";
  return `${field}: expected one of ${allowed.join(", ")}, got ${show(got)}${hint}`;
}

function join(instancePath: string, name: string): string {
  const place = fieldOf(instancePath);
  return place === "" ? name : `${place}.${name}`;
}

/** `/candidates/3/id` to `candidates[3].id`. */
function fieldOf(instancePath: string): string {
  return instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => {
      if (/^\d+$/.test(part)) return `${path}[${part}]`;
      return path === "" ? plain(part) : `${path}.${plain(part)}`;
    }, "");
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number" && !Number.isFinite(value)) return `${value}, which is not finite`;
  return Array.isArray(value) ? "array" : typeof value;
}

/** A value as a reader can recognise it, never longer than a line. */
function show(value: unknown): string {
  const text = jsonOf(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Deeper than the stack, or nothing that JSON has.
    return kindOf(value);
  }
}
