import { invalidArgument } from "../domain/error.ts";
import type { Unit } from "../domain/experiment.ts";
import type { AttributeType, DeclaredAttributes } from "../domain/feature.ts";
import { nearest } from "../schema/schema.ts";
import type { RequestFacts } from "./request-facts.ts";

/** The longest unit id, in UTF-8 bytes: as long as the ids of users may be, so that every unit fits the log and a store. */
export const unitBytesMax = 256;

/** A request that has no unit of the kind that is asked for: the field, and what is wrong with it. */
export interface UnitFault {
  readonly reason: "unit-missing" | "unit-invalid";
  readonly detail: string;
}

/** How one kind of unit is read from a request. */
export interface UnitKind {
  readonly unit: Unit;
  /** Its place among the kinds of one set of experiments. */
  readonly index: number;
  /** Undefined where the request has none that can be used; `unitFault` says why. */
  read(userId: string, facts: RequestFacts): string | undefined;
}

export function unitKind(unit: Unit, index: number): UnitKind {
  return { unit, index, read: readerOf(unit) };
}

function readerOf(unit: Unit): UnitKind["read"] {
  if (unit === "user") return (userId) => userId;
  if (unit === "session") return (_userId, facts) => facts.session;
  if (unit === "request") return (_userId, facts) => facts.request;
  const { entity, name } = attributeOf(unit);
  return (_userId, facts) => {
    const id = attributeText(facts, entity, name);
    return id !== undefined && isUnitId(id) ? id : undefined;
  };
}

/** Why `read` answered undefined. */
export function unitFault(unit: Unit, facts: RequestFacts): UnitFault {
  if (unit === "user" || unit === "session" || unit === "request") {
    const field = unit === "request" ? "requestId" : `${unit}.id`;
    return { reason: "unit-missing", detail: `it splits by ${unit}, and the request carries no ${field}` };
  }
  const { entity, name } = attributeOf(unit);
  const field = `${entity}.attributes.${name}`;
  const value = Object.hasOwn(facts[entity], name) ? facts[entity][name] : undefined;
  if (value === undefined) {
    return { reason: "unit-missing", detail: `it splits by ${unit}, and the request carries no ${field}` };
  }
  const id = attributeText(facts, entity, name);
  const expected =
    id === undefined ? "a text or a whole number" : `Unicode text of 1 to ${unitBytesMax} bytes`;
  return { reason: "unit-invalid", detail: `it splits by ${unit}: expected ${field} to be ${expected}` };
}

/**
 * @throws {SetlistError} INVALID_ARGUMENT where the unit is an attribute that is not declared, or is no id; only where
 *   attributes are declared at all.
 */
export function checkUnit(unit: Unit, declared: DeclaredAttributes | undefined, field: string): void {
  if (unit === "user" || unit === "session" || unit === "request" || declared === undefined) return;
  const { entity, name } = attributeOf(unit);
  const known = Object.keys(declared[entity]);
  if (!known.includes(name)) {
    throw invalidArgument(`${field}: no attribute ${JSON.stringify(unit)}${nearest(name, known)}`);
  }
  const type = declared[entity][name] as AttributeType;
  if (type === "bool")
    throw invalidArgument(`${field}: expected an attribute of text or numbers, ${unit} is ${type}`);
}

function attributeOf(unit: Unit): { readonly entity: "user" | "context"; readonly name: string } {
  const dot = unit.indexOf(".");
  return { entity: unit.slice(0, dot) as "user" | "context", name: unit.slice(dot + 1) };
}

/** A text as it stands; a whole number in decimal digits, which every language writes alike. */
function attributeText(facts: RequestFacts, entity: "user" | "context", name: string): string | undefined {
  const attributes = facts[entity];
  const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined;
}

function isUnitId(id: string): boolean {
  if (id === "" || !id.isWellFormed()) return false;
  return id.length * 3 <= unitBytesMax || encoder.encode(id).length <= unitBytesMax;
}

const encoder = new TextEncoder();
