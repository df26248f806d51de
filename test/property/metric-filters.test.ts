/** A metric's filter means in SQL what it means in CEL, for all values that an outcome can have. */
import { celEnv, parse, plan } from "@bufbuild/cel";
import fc from "fast-check";
import { expect, test } from "vitest";
import { literal } from "../../src/columnar/columnar.ts";
import type { SetlistError } from "../../src/domain/error.ts";
import { parseMetricFilter } from "../../src/experiments/experiments.ts";
import { duckDbDialect } from "../../src/measurement/duckdb-dialect.ts";
import { filterSql } from "../../src/measurement/filter-sql.ts";
import { rowsIn, withScratchDatabase } from "../../src/measurement/scratch-database.ts";
import { cpuMsOf } from "../support/cpu-time.ts";

interface FilteredOutcome {
  readonly type: string;
  readonly value: number;
  /** Undefined of what a user did without a list. */
  readonly item?: { readonly id: string; readonly position: number; readonly features: object } | undefined;
}

const texts = ["", "jazz", "ja", "zz", "it's", 'say "a"', "ö\u{1f600}", "10", "true", "\\", "a%b_"];
const numbers = [0, -0.5, 1, 2, 10, 0.1, 1e21, -1e-7, 4_294_967_297];

const outcomes: readonly FilteredOutcome[] = [
  {
    type: "play",
    value: 10,
    item: { id: "jazz", position: 1, features: { genre: "jazz", age: 10, new: true } },
  },
  {
    type: "jazz",
    value: 0.1,
    item: { id: "it's", position: 2, features: { genre: "", age: -0.5, new: false } },
  },
  {
    type: "ö\u{1f600}",
    value: 1e21,
    item: { id: "10", position: 3, features: { genre: "ö\u{1f600}", "a-b": 1 } },
  },
  { type: 'say "a"', value: -1e-7, item: { id: "ö\u{1f600}", position: 10, features: {} } },
  { type: "zz", value: 0 },
];

const constant = (value: string | number | boolean): string => JSON.stringify(value);
const text = fc.oneof(
  fc.constantFrom("outcome.type", "item.id", "item.features.genre"),
  fc.constantFrom(...texts).map(constant),
);
const number = fc.oneof(
  fc.constantFrom("outcome.value", "item.position", "item.features.age", 'item.features["a-b"]'),
  fc.constantFrom(...numbers).map(constant),
);
const ordering = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
const list = (values: readonly (string | number)[]) =>
  fc
    .array(fc.constantFrom(...values).map(constant), { minLength: 1, maxLength: 4 })
    .map((all) => `[${all.join(", ")}]`);

/** Two features alone say nothing of what they are. */
const isDecided = (expression: string): boolean =>
  !/^item\.features.* (?:[=!<>]=?) item\.features/.test(expression);
const compared = (side: fc.Arbitrary<string>) =>
  fc
    .tuple(side, ordering, side)
    .map((parts) => parts.join(" "))
    .filter(isDecided);

const { filter } = fc.letrec<{ filter: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    compared(text),
    compared(number),
    fc.tuple(text, list(texts)).map(([one, options]) => `${one} in ${options}`),
    fc.tuple(number, list(numbers)).map(([one, options]) => `${one} in ${options}`),
    fc
      .tuple(text, fc.constantFrom("startsWith", "endsWith", "contains"), text)
      .map(([one, of, part]) => `${one}.${of}(${part})`),
    fc.constantFrom(
      "item.features.new",
      "item.features.new == true",
      "false != item.features.new",
      "has(item.features.age)",
      '"a-b" in item.features',
      "true",
      "false",
    ),
  ),
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie("leaf"),
    fc
      .tuple(tie("filter"), fc.constantFrom("&&", "||", "==", "!="), tie("filter"))
      .map(([a, of, b]) => `(${a}) ${of} (${b})`),
    tie("filter").map((one) => `!(${one})`),
  ),
}));

/** What has no item has no features, which is no error to ask for; its id and position are one to read. */
function heldInCel(expression: string, { type, value, item }: FilteredOutcome): boolean {
  const evaluate = plan(celEnv({}), parse(expression));
  return evaluate({ outcome: { type, value }, item: item ?? { features: {} } } as never) === true;
}

async function heldInSql(expressions: readonly string[]): Promise<boolean[][]> {
  const rows = outcomes.map(({ type, value, item }) => {
    const json = item === undefined ? "NULL" : literal(JSON.stringify(item.features));
    return `(${literal(type)}, ${value}::DOUBLE, ${literal(item?.id ?? "")}, ${item?.position ?? "NULL"}, ${json})`;
  });
  const columns = expressions.map((one, i) => {
    return `coalesce(${filterSql(duckDbDialect, parseMetricFilter(one, "filter"))}, false) AS f${i}`;
  });
  return withScratchDatabase({ threads: 1 }, async (warehouse) => {
    const found = await rowsIn(
      warehouse,
      `SELECT ${columns.join(", ")} FROM (VALUES ${rows.join(", ")}) seen(type_name, value, item, position, features)`,
    );
    return expressions.map((_, i) => found.map((row) => row[`f${i}`] as boolean));
  });
}

test("a filter holds in SQL where it is true in CEL, and nowhere else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(filter, { minLength: 20, maxLength: 20 }), async (filters) => {
      const inCel = filters.map((one) => outcomes.map((outcome) => heldInCel(one, outcome)));
      expect(await heldInSql(filters)).toEqual(inCel);
    }),
    { numRuns: 25 },
  );
});

function saidOf(expression: string): string {
  try {
    return `read: (${filterSql(duckDbDialect, parseMetricFilter(expression, "metrics[0].filter"))})`;
  } catch (error) {
    const { code, message } = error as SetlistError;
    return `${code}: ${message}`;
  }
}

test("whatever is written is read or refused with its place, at once", () => {
  const piece = fc.constantFrom(
    ...[
      "outcome",
      ".",
      "value",
      "type",
      "item",
      "features",
      "(",
      ")",
      "[",
      "]",
      "&&",
      "||",
      "!",
      "==",
      "<",
      "in",
      "?",
      ":",
    ],
    ...[
      "'a'",
      "1",
      "-",
      "true",
      "null",
      "has",
      "size",
      "startsWith",
      ",",
      "x",
      '"\\u0000"',
      "b'a'",
      "1u",
      " ",
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 12 }), (pieces) => {
      expect(saidOf(pieces.join(""))).toMatch(
        /^(read: \(|INVALID_ARGUMENT: metrics\[0\]\.filter: )(?!.*undefined)/s,
      );
    }),
    { numRuns: 2_000 },
  );
});

test.each(["==", "!="])("a filter nested as deep as it may be is read at once: %s", (operator) => {
  const depth = 49;
  const nested = `${`true ${operator} (`.repeat(depth)}true${")".repeat(depth)}`;
  const cost = cpuMsOf(() => expect(parseMetricFilter(nested, "filter").kind).toBe("compare"));
  expect(cost).toBeLessThan(2_000);
  expect(() => parseMetricFilter(`true == (${nested} == true)`, "filter")).toThrow("nested too deeply");
});
