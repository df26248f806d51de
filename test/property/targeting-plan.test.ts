import { celEnv, isCelError, parse, plan } from "@bufbuild/cel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { targetingInput } from "../../src/experiments/targeting-input.ts";
import { planTargeting } from "../../src/experiments/targeting-plan.ts";

const attribute = fc.constantFrom(
  "user.a",
  "user.b",
  "context.a",
  "user['c d']",
  "user.constructor",
  "context.b",
);
const literal = fc.constantFrom(
  "'x'",
  "'xy'",
  "''",
  "'ü'",
  "0",
  "1",
  "-1",
  "1.5",
  "0.0",
  "-0.0",
  "2u",
  "true",
  "false",
);
const list = fc
  .array(
    literal.filter((one) => one !== "2u"),
    { maxLength: 4 },
  )
  .map((all) => `[${all.join(", ")}]`);

const { expression } = fc.letrec<{ expression: string; value: string; test: string }>((tie) => ({
  value: fc.oneof(attribute, literal),
  test: fc.oneof(
    fc
      .tuple(tie("value"), fc.constantFrom("==", "!=", "<", "<=", ">", ">="), tie("value"))
      .map(([one, operator, other]) => `${one} ${operator} ${other}`),
    fc.tuple(tie("value"), list).map(([one, all]) => `${one} in ${all}`),
    fc
      .tuple(attribute, fc.constantFrom("startsWith", "endsWith", "contains"), tie("value"))
      .map(([one, name, part]) => `${one}.${name}(${part})`),
    fc.constantFrom("has(user.a)", "has(context.b)", "has(user.constructor)"),
    tie("value"),
  ),
  expression: fc.oneof(
    { depthSize: "small" },
    tie("test"),
    fc
      .tuple(tie("expression"), fc.constantFrom("&&", "||", "==", "!="), tie("expression"))
      .map(([one, operator, other]) => `(${one}) ${operator} (${other})`),
    tie("expression").map((one) => `!(${one})`),
  ),
}));

const value = fc.oneof(
  fc.constantFrom<string | number | boolean>("x", "xy", "", "ü", "yx", 0, -0, 1, 1.5, -1, 2, true, false),
  fc.string({ unit: "binary", maxLength: 3 }).filter((text) => text.isWellFormed()),
);
const attributes = fc.record({
  user: fc.record({ a: value, b: value, "c d": value }, { requiredKeys: [] }),
  context: fc.record({ a: value, b: value }, { requiredKeys: [] }),
});

test("what is planned here says exactly what the library says, errors and all", () => {
  const env = celEnv();
  let planned = 0;
  fc.assert(
    fc.property(expression, fc.array(attributes, { minLength: 1, maxLength: 5 }), (text, requests) => {
      const parsed = parse(text);
      const quick = planTargeting(parsed.expr);
      const slow = plan(env, parsed);
      if (quick === undefined) return;
      planned++;
      for (const request of requests) {
        const input = targetingInput(request);
        const said = slow({ ...input.maps() });
        const expected = isCelError(said) ? undefined : typeof said === "bigint" ? Number(said) : said;
        const got = quick(input);
        expect(typeof got === "number" ? got + 0 : got).toEqual(
          typeof expected === "number" ? expected + 0 : expected,
        );
      }
    }),
    { numRuns: 3_000 },
  );
  expect(planned).toBeGreaterThan(1_500);
});
