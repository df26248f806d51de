import { BOOLEAN, DOUBLE, FLOAT, INTEGER, LIST, MAP, STRUCT, VARCHAR } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { identifier, RowAppender, withDatabase } from "../../src/columnar/columnar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const types = {
  text: VARCHAR,
  double: DOUBLE,
  float: FLOAT,
  whole: INTEGER,
  flag: BOOLEAN,
  texts: LIST(VARCHAR),
  items: LIST(STRUCT({ id: VARCHAR, score: DOUBLE, tags: LIST(VARCHAR) })),
  map: MAP(VARCHAR, LIST(DOUBLE)),
  nested: STRUCT({ name: VARCHAR, inner: STRUCT({ numbers: LIST(INTEGER) }) }),
};

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 3 });
// Around the 12 bytes that DuckDB keeps in place of a pointer, in ASCII and beyond.
const text = nullable(
  fc.oneof(
    fc.string({ minLength: 0, maxLength: 14, unit: "grapheme-ascii" }),
    fc.string({ maxLength: 13, unit: "grapheme" }),
    fc.string({ minLength: 20, maxLength: 40 }),
  ),
);
const double = nullable(fc.double({ noNaN: true }));
const whole = nullable(fc.integer());
const row = fc.record({
  text,
  double,
  float: nullable(fc.float({ noNaN: true })),
  whole,
  flag: nullable(fc.boolean()),
  texts: nullable(fc.array(text, { maxLength: 4 })),
  items: nullable(
    fc.array(
      nullable(fc.record({ id: text, score: double, tags: nullable(fc.array(text, { maxLength: 2 })) })),
      {
        maxLength: 5,
      },
    ),
  ),
  map: nullable(
    fc.uniqueArray(
      fc.record({ key: fc.string({ maxLength: 14 }), value: nullable(fc.array(double, { maxLength: 3 })) }),
      { maxLength: 4, selector: ({ key }) => key },
    ),
  ),
  nested: nullable(
    fc.record({
      name: text,
      inner: nullable(fc.record({ numbers: nullable(fc.array(whole, { maxLength: 3 })) })),
    }),
  ),
});

test("whatever is appended comes out again, NULLs, short texts, long ones and lists within structs", async () => {
  const overflow = await temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), fc.integer({ min: 1, max: 300 }), (rows, times) =>
      withDatabase({ overflow, threads: 1 }, async (staging) => {
        const columns = Object.entries(types).map(([name, type]) => `${identifier(name)} ${type}`);
        await staging.run(`CREATE TABLE t (${columns.join(", ")})`);
        const appender = await RowAppender.open(staging, "t", Object.values(types));
        // Several times over, so that chunks fill and their buffers are used again.
        const all = Array.from({ length: times }, () => rows).flat();
        for (const one of all)
          appender.append(Object.keys(types).map((name) => one[name as keyof typeof one]));
        appender.close();
        const read = await staging.runAndReadAll("SELECT * FROM t ORDER BY rowid");
        expect(read.getRowObjectsJS()).toEqual(all);
        const texts = all.filter((one) => one.text === all[0]?.text).length;
        const same = await staging.runAndReadAll(
          "SELECT count(*)::INTEGER FROM t WHERE text IS NOT DISTINCT FROM (SELECT text FROM t ORDER BY rowid LIMIT 1)",
        );
        expect(same.getRows()[0]?.[0]).toBe(texts);
      }),
    ),
    { numRuns: 60 },
  );
});
