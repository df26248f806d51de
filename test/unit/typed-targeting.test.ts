import { describe, expect, test } from "vitest";
import type { DeclaredAttributes } from "../../src/domain/feature.ts";
import { validateExperiment } from "../../src/experiments/experiments.ts";
import { compileTargeting } from "../../src/experiments/targeting.ts";
import { documentWith } from "../support/experiments.ts";

const declared: DeclaredAttributes = {
  user: { country: "string", age: "number", premium: "bool", "favourite genre": "string" },
  context: { device: "string", hour: "number" },
};

describe("against declared attributes passes", () => {
  test.each([
    "user.country in ['DE', 'AT'] && context.device == 'ios'",
    "user.age >= 18 && user.age < 21.5",
    "user.age == 18 || user.age in [20, 21.5]",
    "user.premium",
    "!user.premium || has(user.country)",
    "user['favourite genre'].startsWith('amb')",
    "user.country.matches('^D') ? user.premium : context.hour > 12",
    "['DE', 'AT'].exists(c, c == user.country)",
    "[1, 2].map(x, x + 1) == [2, 3]",
    "size(user.country) == 2",
    "int(user.age) % 2 == 0",
    "user.age + 1.0 > 19.0",
    "type(user.age) == double",
    "{'DE': true}[user.country]",
    "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
  ])("%s", (expression) => {
    expect(() => compileTargeting(expression, declared)).not.toThrow();
  });
});

describe("against declared attributes is refused, with its place:", () => {
  test.each<[string, string]>([
    ["user.contry == 'DE'", 'column 5: no attribute user.contry (did you mean "country"?)'],
    ["has(user.contry)", "no attribute user.contry"],
    ["user.country == 'DE' && context.age > 3", "column 32: no attribute context.age"],
    ["user['genre'] == 'x'", "no attribute user.genre"],
    ["user.constructor == 'x'", "no attribute user.constructor"],
    ["user[context.device] == 'x'", "expected an attribute's name in user[...]"],
    ["user.age == 'old'", "a number never equals a string"],
    ["user.country != 3", "a string never equals a whole number"],
    ["user.premium == 'yes'", "a bool never equals a string"],
    ["user.country in ['DE', 3]", "a string never equals a whole number"],
    ["user.age in ['18']", "a number never equals a string"],
    ["user.country in 'DE'", "expected a list or a map behind in, got a string"],
    ["user.country > 3", "> cannot be had of string and whole number"],
    ["user.age % 2 == 0", "% cannot be had of number and whole number"],
    ["user.age + 1 > 2.0", "+ cannot be had of number and whole number"],
    ["user.age.startsWith('1')", "startsWith cannot be had of number and string"],
    ["user.country && user.premium", "expected true or false for &&, got a string"],
    ["!user.age", "! cannot be had of number"],
    ["user.country ? true : false", "expected true or false for ?:, got a string"],
    ["user.country.code == 'DE'", 'a string has no field "code"'],
    ["[1, 2].exists(x, x == user.country)", "a whole number never equals a string"],
    ["user.country.exists(x, x == 'D')", "expected a list or a map, got a string"],
    ["user.country", "is neither: it is a string"],
    ["user.age - 1.0", "is neither: it is a number"],
  ])("%s", (expression, complaint) => {
    expect(() => compileTargeting(expression, declared)).toThrow(complaint);
    expect(() => compileTargeting(expression, declared)).toThrow(/^targeting: /);
  });
});

test("constants that do not fit are refused also where nothing is declared", () => {
  expect(() => compileTargeting("1 + 'a' == 2")).toThrow("+ cannot be had of whole number and string");
  expect(() => compileTargeting("user.anything > 3 && 'x' == 1")).toThrow(
    "a string never equals a whole number",
  );
  expect(() => compileTargeting("user.anything % 2 == 0")).not.toThrow();
});

test("an experiment is refused with the field, before anything asks for it", () => {
  const check = (over: object) => () =>
    validateExperiment(documentWith(over), { attributes: declared, others: [] });
  expect(check({ targeting: "user.contry == 'DE'" })).toThrow(/^targeting: column 5: no attribute/);
  expect(check({ unit: "user.household" })).toThrow(/^unit: no attribute "user.household"/);
  expect(check({ unit: "user.premium" })).toThrow(/^unit: expected an attribute of text or numbers/);
  expect(check({ unit: "user.country", targeting: "user.age > 3" })).not.toThrow();
});
