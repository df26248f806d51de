import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FeatureSpec, Features, FeatureValue } from "../../src/domain/feature.ts";
import type { EncodedRequest } from "../../src/domain/feature-store.ts";
import type { Model } from "../../src/domain/model.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";
import type { RankRequest } from "../../src/domain/rank.ts";
import { RequestEncoder } from "../../src/features/request-encoder.ts";
import { RowTable } from "../../src/features/row-table.ts";
import { wholeTensors } from "../support/encoded-request.ts";
import { homeModel, requestOf, testWorld } from "../support/feature-models.ts";

/** The rules of docs/model-manifest.md once more, column by column and as plainly as they can be written. */
function columnsOf(spec: FeatureSpec, value: FeatureValue): number[] {
  const { encoding, width } = spec;
  const values = Array.isArray(value) ? value : [value];
  if (encoding.kind === "number") return values.map((one) => Math.fround(Number(one)));
  const indices = values.map((text) =>
    encoding.kind === "hash"
      ? 1 + (murmur3(String(text)) % encoding.buckets)
      : 1 + encoding.values.indexOf(String(text)),
  );
  return Array.from({ length: width }, (_, column) => indices[column] ?? 0);
}

function plainTensors(model: Model, request: RankRequest): (number[] | undefined)[] {
  const users: Readonly<Record<string, Features>> = testWorld.users;
  const items: Readonly<Record<string, Features>> = testWorld.items;
  const rowOf = (input: string, id: string | undefined, inline: Features, stored: Features): number[] => {
    const row: number[] = [];
    for (const spec of model.features.filter((one) => one.input === input)) {
      const value = spec.name === "id" && id !== undefined ? id : (inline[spec.name] ?? stored[spec.name]);
      for (const [column, number] of columnsOf(spec, value ?? spec.default).entries()) {
        row[spec.offset + column] = number;
      }
    }
    return row;
  };
  const { user, context, candidates } = request;
  return model.inputs.map(({ name, entity }) => {
    if (entity === "row") return undefined;
    if (entity === "user") return rowOf(name, user.id, user.features, users[user.id] ?? {});
    if (entity === "context") return rowOf(name, undefined, context.features, {});
    return [...candidates].flatMap(({ id, features }) => rowOf(name, id, features ?? {}, items[id] ?? {}));
  });
}

const number = fc.float({ noNaN: true, noDefaultInfinity: true });
const pair = fc.tuple(number, number);
const words = fc.oneof(fc.constantFrom("ambient", "pop", "jazz", "DE", "FR", "ios"), fc.string());
const wordOrWords = fc.oneof(words, fc.array(words, { maxLength: 5 }));
const optional = { requiredKeys: [] };
const candidate = fc.record(
  {
    id: fc.constantFrom("t1", "t2", "t3", "t4", "t98", "t99", "ü"),
    features: fc.record({ content: pair, popularity: number, genre: wordOrWords }, optional),
  },
  { requiredKeys: ["id"] },
);
const requests = fc
  .record({
    candidates: fc.uniqueArray(candidate, { selector: ({ id }) => id, minLength: 1, maxLength: 7 }),
    user: fc.record({
      id: fc.constantFrom("u1", "u2", "u3", "u99"),
      features: fc.record({ taste: pair, history: wordOrWords, country: wordOrWords }, optional),
    }),
    context: fc.record({ features: fc.record({ device: wordOrWords }, optional) }),
  })
  .map(({ candidates, ...parts }) => requestOf(candidates, parts));

test("any request, after any others, is encoded as the manifest's rules say, however few rows are kept", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(requests, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 8 }),
      async (sequence, cacheRowsMax) => {
        const read = async (entity: "user" | "item", ids: readonly string[]) => {
          const rows: Readonly<Record<string, Features>> =
            entity === "user" ? testWorld.users : testWorld.items;
          return ids.map((id) => rows[id]);
        };
        const source = { columns: () => undefined, read, close: async () => {} };
        const encoder = new RequestEncoder(source, cacheRowsMax, () => {});
        for (const request of sequence) {
          const encoded = await encoder.encode(homeModel, request);
          const tensors = wholeTensors(homeModel, encoded);
          expect(tensors.map((tensor) => tensor && [...tensor])).toEqual(plainTensors(homeModel, request));
          encoded.release();
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("what a request was encoded to stays as it is until it is released, whatever comes meanwhile", async () => {
  const read = async (entity: "user" | "item", ids: readonly string[]) => {
    const rows: Readonly<Record<string, Features>> = entity === "user" ? testWorld.users : testWorld.items;
    return ids.map((id) => rows[id]);
  };
  const source = { columns: () => undefined, read, close: async () => {} };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(requests, fc.nat()), { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 0, max: 4 }),
      async (sequence, cacheRowsMax) => {
        const encoder = new RequestEncoder(source, cacheRowsMax, () => {});
        const held: { request: RankRequest; encoded: EncodedRequest }[] = [];
        const check = ({ request, encoded }: (typeof held)[number]): void => {
          const tensors = wholeTensors(homeModel, encoded);
          expect(tensors.map((tensor) => tensor && [...tensor])).toEqual(plainTensors(homeModel, request));
        };
        for (const [request, place] of sequence) {
          held.push({ request, encoded: await encoder.encode(homeModel, request) });
          for (const one of held) check(one);
          if (held.length > 3) held.splice(place % held.length, 1)[0]?.encoded.release();
        }
      },
    ),
    { numRuns: 150 },
  );
});

describe("the table of encoded rows", () => {
  const inputs = [
    { place: 0, columns: 2, dtype: "float32" },
    { place: 2, columns: 1, dtype: "int32" },
  ] as const;
  const rowIn = (table: RowTable, slot: number): number[] => [
    ...(table.tensors[0] as Float32Array).slice(slot * 2, slot * 2 + 2),
    ...(table.tensors[2] as Int32Array).slice(slot, slot + 1),
  ];
  const write = (table: RowTable, value: number): number => {
    const slot = table.take();
    table.tensors[0]?.set([value, -value], slot * 2);
    table.tensors[2]?.set([value], slot);
    table.note(slot, [value]);
    return slot;
  };
  const release = (table: RowTable, slot: number): void => table.release(Int32Array.of(slot));

  test("gives back what was kept last for an id, or nothing, and keeps no more than it may", () => {
    const steps = fc.array(
      fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 1e6 })),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (sequence, rowsMax) => {
        const table = new RowTable(inputs, rowsMax);
        // The model of a cache: a Map, whose order is that of the last use.
        const kept = new Map<string, number>();
        for (const [keeps, key, value] of sequence) {
          const id = `t${key}`;
          if (keeps) {
            const slot = write(table, value);
            table.keep(id, slot);
            release(table, slot);
            kept.delete(id);
            kept.set(id, value);
            for (const [oldest] of kept) if (kept.size > rowsMax) kept.delete(oldest);
            continue;
          }
          const expected = kept.get(id);
          const slot = table.find(id);
          expect(slot >= 0).toBe(expected !== undefined);
          if (expected === undefined) continue;
          expect(rowIn(table, slot)).toEqual([expected, -expected, expected]);
          expect(table.defaultedIn(slot)).toEqual([expected]);
          release(table, slot);
          kept.delete(id);
          kept.set(id, expected);
        }
        // Nothing is pinned: what is kept and one more is all the memory that was ever used.
        expect(
          Math.max(0, ...table.versions.keys().filter((slot) => table.versions[slot] !== 0)),
        ).toBeLessThan(rowsMax + 1);
      }),
      { numRuns: 200 },
    );
  });

  test("gives a pinned slot to nobody else, and a row that is written another version", () => {
    const table = new RowTable(inputs, 1);
    const first = write(table, 1);
    table.keep("a", first);
    const version = table.versions[first];
    table.keep("b", write(table, 2));
    expect(table.find("a")).toBe(-1);
    const others = Array.from({ length: 50 }, (_, value) => write(table, value));
    expect(others).not.toContain(first);
    expect(rowIn(table, first)).toEqual([1, -1, 1]);
    release(table, first);
    expect(write(table, 3)).toBe(first);
    expect(table.versions[first]).not.toBe(version);
  });

  test("grows past the rows that it began with", () => {
    const table = new RowTable(inputs, 5_000);
    for (let row = 0; row < 6_000; row++) {
      const slot = write(table, row);
      table.keep(`t${row}`, slot);
      release(table, slot);
    }
    expect(table.find("t999")).toBe(-1);
    expect(rowIn(table, table.find("t1000"))).toEqual([1000, -1000, 1000]);
  });
});
