import { describe, expect, test } from "vitest";
import { attributesFlag } from "../../src/cli/attributes.ts";

describe("--attributes", () => {
  test.each<[string, string]>([
    ["as the API has them", '{"user": {"country": "DE", "age": 30}, "context": {"device": "ios"}}'],
    ["in the short form", '{"user.country": "DE", "user.age": 30, "context.device": "ios"}'],
    [
      "mixed, a bare name being the user's",
      '{"country": "DE", "user": {"age": 30}, "context.device": "ios"}',
    ],
  ])("are read %s", (_form, text) => {
    expect(attributesFlag(text)).toEqual({ user: { country: "DE", age: 30 }, context: { device: "ios" } });
  });

  test("may be called like something that every object inherits", () => {
    const { user } = attributesFlag('{"constructor": "x", "__proto__": "y"}');
    expect(Object.entries(user)).toEqual([
      ["constructor", "x"],
      ["__proto__", "y"],
    ]);
  });

  test.each<[string, string]>([
    ["{", "expected JSON"],
    ["[]", "expected a JSON object"],
    ["3", "expected a JSON object"],
    ['{"user": ["DE"]}', 'expected a text, number or boolean for "user"'],
    ['{"user": {"country": null}}', 'expected a text, number or boolean for "user.country"'],
    ['{"user.country": {}}', 'expected a text, number or boolean for "user.country"'],
  ])("%s is refused", (text, complaint) => {
    expect(() => attributesFlag(text)).toThrow(complaint);
  });
});
