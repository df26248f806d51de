import { CelScalar, type CelType, listType } from "@bufbuild/cel";
import type { AttributeType } from "../domain/feature.ts";

const { BOOL, DOUBLE, DYN, STRING } = CelScalar;

/** What a declared attribute is to CEL. */
export function celTypeOf(type: AttributeType): CelType {
  return { string: STRING, number: DOUBLE, bool: BOOL }[type];
}

/** A type as the configuration calls it: `number` for a double. */
export function typeName(type: CelType): string {
  if (type.kind === "list") return `list of ${typeName(type.element)}`;
  return names[type.name] ?? type.name;
}

const names: Readonly<Record<string, string>> = {
  double: "number",
  int: "whole number",
  uint: "unsigned number",
  dyn: "anything",
  null_type: "null",
};

export function isDyn(type: CelType): boolean {
  return type === DYN;
}

export function isBool(type: CelType): boolean {
  return type === BOOL || type === DYN;
}

/** Whether a value of `actual` may be handed to a function that takes `wanted`; the library goes by name and kind. */
export function fits(actual: CelType, wanted: CelType): boolean {
  return isDyn(actual) || isDyn(wanted) || (actual.kind === wanted.kind && actual.name === wanted.name);
}

/** Whether two values can be equal at all: CEL compares numbers of any type, and otherwise only like with like. */
export function comparable(one: CelType, other: CelType): boolean {
  if (isDyn(one) || isDyn(other)) return true;
  if (isNumber(one) && isNumber(other)) return true;
  if (one.kind === "list" && other.kind === "list") return comparable(one.element, other.element);
  return one.kind === other.kind && one.name === other.name;
}

/** The type of all of several values; anything where they differ. */
export function common(types: readonly CelType[]): CelType {
  const [first = DYN] = types;
  return types.every((type) => type.kind === first.kind && type.name === first.name) ? first : DYN;
}

/** `[18, 21.5]` is a list of anything, which compares with all numbers. */
export function listOf(elements: readonly CelType[]): CelType {
  return listType(common(elements));
}

function isNumber({ name }: CelType): boolean {
  return name === "double" || name === "int" || name === "uint";
}
