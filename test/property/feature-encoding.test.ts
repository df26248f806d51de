import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FeatureSpec, Features, FeatureValue } from "../../src/domain/feature.ts";
import type { Model } from "../../src/domain/model.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";
import type { RankRequest } from "../../src/domain/rank.ts";
import { RequestEncoder } from "../../src/features/request-encoder.ts";
import { RowCache } from "../../src/features/row-cache.ts";
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
    return candidates.flatMap(({ id, features }) => rowOf(name, id, features ?? {}, items[id] ?? {}));
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
          const { tensors } = await encoder.encode(homeModel, request);
          expect(tensors.map((tensor) => tensor && [...tensor])).toEqual(plainTensors(homeModel, request));
        }
      },
    ),
    { numRuns: 150 },
  );
});

describe("the cache of encoded rows", () => {
  const inputs = [
    { place: 0, columns: 2, dtype: "float32" },
    { place: 2, columns: 1, dtype: "int32" },
  ] as const;

  test("gives back what was kept last for an id, or nothing, and keeps no more than it may", () => {
    const steps = fc.array(
      fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 1e6 })),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 10 }), (sequence, rowsMax) => {
        const cache = new RowCache(inputs, rowsMax);
        // The model of a cache: a Map, whose order is that of the last use.
        const kept = new Map<string, number>();
        for (const [keeps, key, value] of sequence) {
          const id = `t${key}`;
          const tensors = [new Float32Array(4), undefined, new Int32Array(2)];
          if (keeps) {
            tensors[0]?.set([value, -value], 2);
            tensors[2]?.set([value], 1);
            cache.keep(tensors, 1, id, [value]);
            kept.delete(id);
            kept.set(id, value);
            for (const [oldest] of kept) if (kept.size > rowsMax) kept.delete(oldest);
            continue;
          }
          const expected = kept.get(id);
          const row = expected ?? 0;
          expect(cache.copyTo(tensors, 1, id)).toEqual(expected === undefined ? undefined : [expected]);
          expect(tensors[0]).toEqual(Float32Array.of(0, 0, row, -row + 0));
          expect(tensors[2]).toEqual(Int32Array.of(0, row));
          if (expected === undefined) continue;
          kept.delete(id);
          kept.set(id, expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("grows past the rows that it began with", () => {
    const cache = new RowCache(inputs, 5_000);
    for (let row = 0; row < 6_000; row++) {
      cache.keep([Float32Array.of(row, 0.5), undefined, Int32Array.of(row)], 0, `t${row}`, []);
    }
    const tensors = [new Float32Array(2), undefined, new Int32Array(1)];
    expect(cache.copyTo(tensors, 0, "t999")).toBeUndefined();
    expect(cache.copyTo(tensors, 0, "t1000")).toEqual([]);
    expect(tensors).toEqual([Float32Array.of(1000, 0.5), undefined, Int32Array.of(1000)]);
  });
});
