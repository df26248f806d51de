import { invalidArgument } from "../domain/error.ts";

/** Sentences of "expected … got …" that the rules of a manifest share; each throws INVALID_ARGUMENT. */
export function checkUnique(field: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalidArgument(`${field}: expected each name once, got "${twice}" twice`);
}

export function expectEqual(field: string, expected: string, found: string, why: string): void {
  if (found !== expected) throw invalidArgument(`${field}: expected "${expected}", ${why}, got "${found}"`);
}

export function expectShape(field: string, expected: readonly (string | number)[], found: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw invalidArgument(`${field}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}`);
}
