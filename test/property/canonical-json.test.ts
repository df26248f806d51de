import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/domain/canonical-json.ts";

/** What hashes of stores that exist were made of. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, ordered(part)]),
  );
}

const key = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.nat().map(String),
  fc.constantFrom("4294967294", "4294967295", "4294967296", "01", "-1", "__proto__", "10", "9"),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    fc.constantFrom(null, true, false, undefined, Number.NaN),
    fc.double(),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(key, tie("value")), { selector: ([name]) => name, maxLength: 8 })
      .map(Object.fromEntries),
  ),
}));

test("canonical JSON is JSON of the value with its keys in order, to the character", () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(canonicalJson(one)).toBe(JSON.stringify(ordered(one)) ?? "undefined");
    }),
    { numRuns: 2_000 },
  );
});
