import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IdBytes } from "../../src/domain/id-bytes.ts";
import { defaultLimits } from "../../src/domain/limits.ts";
import { RowTable } from "../../src/features/row-table.ts";
import { clearMark, takeCandidateIds } from "../../src/http/candidate-ids.ts";
import { parseRankRequest } from "../../src/serving/rank-request.ts";

const ids = fc.array(
  fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom("t1", "t2", "é", "\ufeffx")),
  {
    maxLength: 40,
  },
);

function bytesOf(texts: readonly string[]): IdBytes {
  const bytes = Buffer.from(texts.join(""));
  const taken = new IdBytes(bytes);
  let at = 0;
  for (const text of texts) {
    const start = at;
    at += Buffer.byteLength(text);
    taken.add(start, at);
  }
  return taken;
}

describe("ids as bytes", () => {
  test("read back as the texts that they were", () => {
    fc.assert(
      fc.property(ids, (texts) => {
        const wellFormed = texts.filter((text) => text.isWellFormed());
        const taken = bytesOf(wellFormed);
        expect(wellFormed.map((_, index) => taken.text(index))).toEqual(wellFormed);
      }),
    );
  });

  test("tell the first that comes again, and its first place", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<string>("a", "b", "ab", "ba", "", "t1", "t10", "ü"), { maxLength: 12 }),
        (texts) => {
          const index = texts.findIndex((text, place) => texts.indexOf(text) < place);
          const expected = index < 0 ? undefined : { index, first: texts.indexOf(texts[index] as string) };
          expect(bytesOf(texts).firstDuplicate()).toEqual(expected);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("find the slots that their texts find, whatever was kept, pushed out and kept again", () => {
    const step = fc.record({
      kept: fc.array(fc.nat(60), { maxLength: 6 }),
      asked: fc.array(fc.nat(60), { maxLength: 8 }),
    });
    // Some are longer than what is indexed by bytes, some share their first bytes, one is no ASCII.
    const idOf = (key: number): string =>
      `${"x".repeat(key % 7 === 0 ? 40 : 1)}${key % 5 === 0 ? "ü" : ""}${key}`;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (steps, rowsMax) => {
        const table = new RowTable([{ place: 0, columns: 1, dtype: "int32" }], rowsMax);
        for (const { kept, asked } of steps) {
          for (const key of kept) {
            const slot = table.take();
            table.tensors[0]?.set([key], slot);
            table.note(slot, []);
            table.keep(idOf(key), slot);
            table.release(Int32Array.of(slot));
          }
          const slots = new Int32Array(asked.length);
          table.findAll(bytesOf(asked.map(idOf)), slots);
          for (const [place, key] of asked.entries()) {
            const slot = table.find(idOf(key));
            expect(slots[place]).toBe(slot);
            if (slot < 0) continue;
            expect(table.tensors[0]?.[slot]).toBe(key);
            table.release(Int32Array.of(slot, slot));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("a request is refused in the same words whether its ids came as text or as bytes", () => {
  const rules = { limits: defaultLimits, surfaces: ["home"], newRequestId: () => "made" };
  const complaint = (candidateIds: string[] | IdBytes): unknown => {
    try {
      return parseRankRequest({ surface: "home", user: { id: "u1" }, candidateIds }, rules).candidates.length;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const id = fc.oneof(fc.nat(9).map(String), fc.constantFrom("", "x".repeat(257), "é".repeat(128)));
  fc.assert(
    fc.property(fc.array(id, { maxLength: 8 }), (texts) => {
      expect(complaint(bytesOf(texts))).toBe(complaint(texts));
    }),
    { numRuns: 500 },
  );
});

test("the version of a row is never 0, which a worker takes for a row that it was never sent", () => {
  const table = new RowTable([{ place: 0, columns: 1, dtype: "int32" }], 0);
  const slot = table.take();
  table.release(Int32Array.of(slot));
  table.versions[slot] = 2 ** 32 - 1;
  expect(table.take()).toBe(slot);
  expect(table.versions[slot]).toBe(1);
});

describe("candidateIds taken out of a body", () => {
  const json = fc.json({ maxDepth: 3 });
  const space = fc.constantFrom("", " ", "\n\t ");
  const fields = fc.array(
    fc.tuple(fc.oneof(fc.string(), fc.constantFrom("user", "limit", "candidateIds")), json),
    {
      maxLength: 4,
    },
  );

  test("and what is left of it are together what JSON reads, or nothing is taken", () => {
    let takings = 0;
    fc.assert(
      fc.property(fields, ids, fields, space, (before, list, after, gap) => {
        const field = ([key, value]: readonly [string, string]): string =>
          `${JSON.stringify(key)}${gap}:${gap}${value}`;
        const array = `[${gap}${list.map((id) => JSON.stringify(id)).join(`${gap},${gap}`)}${gap}]`;
        const parts = [...before, ["candidateIds", array] as const, ...after].map(field);
        const body = Buffer.from(`${gap}{${gap}${parts.join(`${gap},${gap}`)}${gap}}`);
        const taken = takeCandidateIds(body, 100);
        if (taken === undefined) return;
        const rest = JSON.parse(taken.rest);
        // Where the field comes again, the door sees that it is not the one that was taken, and reads the whole.
        if (!clearMark(rest)) return;
        takings += 1;
        const texts = Array.from({ length: taken.ids.length }, (_, index) => taken.ids.text(index));
        expect({ ...rest, candidateIds: texts }).toEqual(JSON.parse(body.toString()));
      }),
      { numRuns: 2_000 },
    );
    expect(takings).toBeGreaterThan(300);
  });

  test.each([
    "",
    "{",
    '{"candidateIds"',
    '{"candidateIds":',
    '{"candidateIds":["a"',
    '{"candidateIds":["a",',
    '{"candidateIds":["a" "b"]}',
    '{"candidateIds":["a",]}',
    '{"candidateIds":["\\u0061"]}',
    '{"candidateIds":["a\nb"]}',
    '{"candidateIds":[1]}',
    '{"candidateIds":"a"}',
    '{"a":{"candidateIds":["a"]}}',
    '["candidateIds",["a"]]',
    '{"a":"x',
    '{"a":[[[["candidateIds":["a"]}',
  ])("takes nothing of %s", (body) => {
    expect(takeCandidateIds(Buffer.from(body), 100)).toBeUndefined();
  });

  test("takes no more than it may, and leaves the rest of a body whatever it is", () => {
    expect(takeCandidateIds(Buffer.from('{"candidateIds":["a","b","c"]}'), 2)).toBeUndefined();
    expect(takeCandidateIds(Buffer.from('{"candidateIds":["a","b"] nonsense'), 2)?.rest).toMatch(
      /^\{"candidateIds":"[0-9a-f-]{36}" nonsense$/,
    );
    expect(takeCandidateIds(Buffer.from('{"candidateIds":[]}'), 2)).toBeUndefined();
  });
});
