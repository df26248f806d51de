import { describe, expect, test } from "vitest";
import type { Attributes } from "../../src/domain/feature.ts";
import { parseMetricFilter } from "../../src/experiments/metric-filter.ts";
import { compileTargeting, keptTargeting } from "../../src/experiments/targeting.ts";
import { targetingInput } from "../../src/experiments/targeting-input.ts";
import { cpuMsOf } from "../support/cpu-time.ts";

function refusal(expression: string, user: Attributes = {}, context: Attributes = {}) {
  return compileTargeting(expression).refusal(targetingInput({ user, context }));
}

/** Ten to the power of `levels` rounds. */
function nestedMacros(levels: number): string {
  const macros = Array.from({ length: levels }, (_, i) => `[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all(x${i}, `);
  return `${macros.join("")}true${")".repeat(levels)}`;
}

/** Each level's text is twice as long as that of the one outside it. */
function doubling(from: number, to: number): string {
  if (from === to) return "true";
  return `[v${from - 1} + v${from - 1}].exists(v${from}, ${doubling(from + 1, to)})`;
}

describe("a request is targeted", () => {
  test.each<[string, Attributes, Attributes]>([
    ["user.country in ['DE', 'AT'] && context.device == 'ios'", { country: "AT" }, { device: "ios" }],
    ["user.age >= 18", { age: 18 }, {}],
    ["user.premium", { premium: true }, {}],
    ["user['favourite genre'] == 'ambient'", { "favourite genre": "ambient" }, {}],
    ["!has(user.country)", {}, {}],
    ["user.email.endsWith('@example.org')", { email: "a@example.org" }, {}],
    ["['DE', 'AT'].exists(c, c == user.country)", { country: "DE" }, {}],
    ["user.country == 'DE' || context.device == 'ios'", {}, { device: "ios" }],
    ["user.exists(name, name.startsWith('beta-'))", { "beta-2": true }, {}],
    ["user.id.matches('^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')", { id: crypto.randomUUID() }, {}],
    [`[${Array.from({ length: 500 }, (_, i) => i).join()}].exists(n, n == user.n)`, { n: 499 }, {}],
    ["user.text.contains('needle')", { text: `${"hay".repeat(10_000)}needle` }, {}],
  ])("by %s", (expression, user, context) => {
    expect(refusal(expression, user, context)).toBeUndefined();
    const targeting = compileTargeting(expression);
    expect(targeting.admits(targetingInput({ user, context }))).toBe(true);
  });
});

describe("a request is not targeted", () => {
  test.each<[string, Attributes, string]>([
    ["user.country == 'DE'", { country: "FR" }, "the targeting is false"],
    ["user.country", { country: "FR" }, "neither true nor false"],
    ["user.age % 2 == 0", { age: 18 }, "cannot be evaluated"],
    ["user.age > 18", { age: "old" }, "cannot be evaluated"],
    ["user.name.matches('^x+$')", { name: "x".repeat(1_025) }, "longer than 1024 characters"],
    ["1 / 0 == 1", {}, "cannot be evaluated"],
  ])("by %s, and hears why", (expression, user, why) => {
    const refused = refusal(expression, user);
    expect(refused?.reason).toBe("targeting");
    expect(refused?.detail).toContain(why);
    expect(compileTargeting(expression).admits(targetingInput({ user, context: {} }))).toBe(false);
  });

  test.each<[string, string]>([
    ["user.country == 'DE'", "user.country"],
    ["context.device == 'ios' && user.country == 'DE'", "context.device"],
    ["user['favourite genre'] == 'ambient'", 'user["favourite genre"]'],
    ["[1.0].exists(x, x == user.age)", "user.age"],
    ["user.constructor == 1", "user.constructor"],
    ["user.__proto__ == 1", "user.__proto__"],
  ])("by %s without the attribute, which is named", (expression, attribute) => {
    const refused = refusal(expression);
    expect(refused?.reason).toBe("targeting-attribute-missing");
    expect(refused?.detail).toContain(`reads ${attribute},`);
  });
});

describe("an expression is refused at load", () => {
  test.each<[string, RegExp]>([
    ["user.country ==", /^targeting: not a CEL expression: line 1, column 14/],
    ["user.country == 'DE' ||", /column 22/],
    ["usr.country == 'DE'", /no variable "usr" \(did you mean "user"\?\)/],
    ["country == 'DE'", /no variable "country"/],
    ["user.country.startWith('D')", /no function "startWith" \(did you mean "startsWith"\?\)/],
    ["[1].exists(x, y == 1)", /no variable "y"/],
    ["1 + 1", /expected an expression that is true or false, but "1 \+ 1" is neither/],
    ["user.age + 1", /true or false/],
    ["'DE'", /true or false/],
    ["[true]", /true or false/],
    ["size('abc')", /true or false/],
    ["user", /true or false/],
    [`${"(".repeat(1500)}true${")".repeat(1500)}`, /nested too deeply/],
    [`1${"+1".repeat(2000)} == 1`, /nested too deeply/],
    ["user.name.matches('(')", /column 10: not a pattern: .*missing closing \)/],
    ["'x'.matches(user.pattern)", /expected the pattern of matches as a text/],
    [nestedMacros(6), /expected at most 100000 steps/],
    ["user.all(k, user.all(l, user.all(m, k + l != m)))", /expected at most 100000 steps/],
    [`[user.a].exists(v0, ${doubling(1, 30)})`, /expected at most 100000 steps/],
    [`[user.a]${".map(a, a + a)".repeat(30)} == []`, /a list or a map that is written out before a macro/],
    ["user.name.matches('((((a{1,30}){1,30}){1,30}){1,30})+b')", /not a pattern/],
    [`user.name.matches('${"(.*a){9}".repeat(100)}c')`, /expected at most 100000 steps/],
  ])("%.30s", (expression, complaint) => {
    expect(() => compileTargeting(expression)).toThrow(complaint);
  });

  test("with the column of the unknown name", () => {
    expect(() => compileTargeting("user.a == 1 && usr.b == 2")).toThrow(/column 16: no variable "usr"/);
  });
});

test.each([
  ["texts", `user.country == "${"(".repeat(200)}" || user.country == '\\'${"[".repeat(200)}'`],
  ["raw texts", `user.country == r"\\" || user.country == r'${"{".repeat(200)}'`],
  ["comments", `true // ${"(".repeat(200)}\n`],
  ["brackets that are closed", Array.from({ length: 60 }, () => "(user.country in ['DE'])").join(" || ")],
])("brackets in %s are nesting of no expression", (_what, expression) => {
  expect(() => compileTargeting(expression)).not.toThrow();
});

test.each(["(", "[", "{", "user.f(", "!(", "(')' == "])(
  "more than a hundred brackets within each other are refused before they are parsed: %s",
  (bracket) => {
    const deep = bracket.repeat(101);
    expect(() => compileTargeting(deep)).toThrow("nested too deeply");
    expect(() => parseMetricFilter(deep, "filter")).toThrow("nested too deeply");
  },
);

test("an expression that experiments keep through many changes is parsed once", () => {
  const expression = "user.country in ['DE', 'AT'] && size(user.country) == 2";
  expect(keptTargeting(expression)).toBe(keptTargeting(expression));
  expect(keptTargeting(expression).admits(targetingInput({ user: { country: "AT" }, context: {} }))).toBe(
    true,
  );
  expect(() => keptTargeting("1 + 1")).toThrow(/true or false/);
});

test("a variable of a macro may hide user: its fields are no attributes", () => {
  const refused = refusal("[{'a': 1}].all(user, user.a == 2)");
  expect(refused?.reason).toBe("targeting");
});

test("a pattern that would take exponential time elsewhere takes none", () => {
  const cost = cpuMsOf(() => refusal("user.name.matches('(a+)+$')", { name: `${"a".repeat(200)}!` }));
  expect(cost).toBeLessThan(2_000);
});
