import Type from "typebox";
import { describe, expect, test } from "vitest";
import { SetlistError } from "../../src/domain/error.ts";
import { nearest, parserOf } from "../../src/schema/schema.ts";

const parse = parserOf(
  Type.Object(
    {
      id: Type.String({ minLength: 1, "x-bytesMax": 4 }),
      parts: Type.Optional(
        Type.Array(Type.Object({ weight: Type.Number({ minimum: 0 }) }, { additionalProperties: false })),
      ),
      kind: Type.Optional(Type.Union([Type.Literal("mean"), Type.Literal("proportion")])),
    },
    { additionalProperties: false },
  ),
);

function complaint(value: unknown): string {
  try {
    parse(value, "body");
  } catch (error) {
    expect(error).toBeInstanceOf(SetlistError);
    return (error as SetlistError).message;
  }
  throw new Error("expected a complaint");
}

test.each(["a\nb", "a\rb", "a\u2028b", "a\u2029b", ""])(
  "a record's value is held against its schema whatever its name, such as %j",
  (name) => {
    const record = parserOf(Type.Record(Type.String(), Type.Number()));
    expect(record({ [name]: 1 }, "body")).toEqual({ [name]: 1 });
    expect(() => record({ [name]: null }, "body")).toThrow(/: expected number, got null$/);
  },
);

describe("a parser", () => {
  test("hands a valid value through as it is", () => {
    const value = { id: "éé", parts: [{ weight: 0 }], kind: "mean" as const };
    expect(parse(value, "body")).toBe(value);
  });

  test.each([
    [{ id: "ééé" }, "id: expected at most 4 bytes"],
    [{ id: 1 }, "id: expected string, got number"],
    [{}, "id: expected, but missing"],
    [{ idd: "x" }, 'idd: unknown field (did you mean "id"?)'],
    [{ kind: "mean", zzzzzzz: 1 }, "id: expected, but missing"],
    [null, "body: expected object, got null"],
    [{ id: "x", kinds: 1 }, 'kinds: unknown field (did you mean "kind"?)'],
    [{ id: "x", zzzzzzz: 1 }, "zzzzzzz: unknown field (known: id, parts, kind)"],
    [
      { id: "x", parts: [{ weight: 1 }, { weight: 1, wait: 2 }] },
      'parts[1].wait: unknown field (did you mean "weight"?)',
    ],
    [{ id: "x", parts: [{ weight: -1 }] }, "parts[0].weight: must be >= 0, got -1"],
    [
      { id: "x", parts: [{ weight: Number.POSITIVE_INFINITY }] },
      "parts[0].weight: expected number, got Infinity, which is not finite",
    ],
    [{ id: "x", kind: "meen" }, 'kind: expected one of mean, proportion, got "meen" (did you mean "mean"?)'],
  ])("says of %j: %s", (value, sentence) => {
    expect(complaint(value)).toBe(sentence);
  });

  test("never repeats more of a wrong value than a line", () => {
    expect(complaint({ id: "x", kind: "y".repeat(10_000) }).length).toBeLessThan(200);
  });
});

test("a name that is nowhere near lists what is known", () => {
  expect(nearest("hme", ["home", "radio"])).toBe(' (did you mean "home"?)');
  expect(nearest("zzzzzzzz", ["home", "radio"])).toBe(" (known: home, radio)");
  expect(nearest("x", [])).toBe("");
});
