import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RankAnswer } from "../../src/domain/rank.ts";
import { writeRankResponse } from "../../src/grpc/rank-response-codec.ts";
import { rankBody } from "../../src/http/rank-body.ts";

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((one) => one !== "__proto__");
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const numbers = fc.dictionary(name, number, { noNullPrototype: true });
const origin = fc.constantFrom("arm" as const, "surface" as const, "model" as const);
const step = fc.record({
  step: fc.constant("diversity" as const),
  by: name,
  key: fc.option(name, { nil: undefined }),
  repeats: fc.nat({ max: 2_000 }),
  factor: number,
  score: number,
});
const diversity = fc.array(fc.record({ by: name, decay: number, floor: number }), { maxLength: 3 });
const answer: fc.Arbitrary<RankAnswer> = fc
  .record({
    items: fc.array(
      fc.record({
        item: fc.record({ id: name, position: fc.nat(), score: number, tasks: numbers }),
        explanation: fc.record({ parts: numbers, fused: number, steps: fc.array(step, { maxLength: 3 }) }),
      }),
      { maxLength: 12 },
    ),
    valueModel: fc.record({
      kind: fc.constantFrom("weighted-sum" as const, "weighted-product" as const),
      weights: numbers,
      powers: numbers,
      diversity,
    }),
    origin: fc.record({ fusion: origin, diversity: origin }),
  })
  .map(({ items, valueModel, origin: whose }) => ({
    requestId: "r1",
    surface: "home",
    items: items.map(({ item }) => item),
    assignments: [],
    model: { name: "m", version: "1" },
    degraded: [],
    timings: { assign: 0, features: 0, queue: 0, inference: 0, rank: 0 },
    decisions: undefined,
    explanation: { valueModel, origin: whose, items: items.map(({ explanation }) => explanation) },
  }));

/** What the contract shows of it. */
const shown = ({ items, explanation }: RankAnswer) => ({
  items: items.map(({ id, score, tasks }, at) => {
    const { steps = [], ...rest } = explanation?.items[at] ?? {};
    const known = steps.map(({ key, ...one }) => (key === undefined ? one : { ...one, key }));
    return { id, score, tasks, explanation: { ...rest, steps: known } };
  }),
  valueModel: explanation?.valueModel,
  valueModelOrigin: explanation?.origin,
});

test("any explanation is JSON that says what was explained", () => {
  fc.assert(
    fc.property(answer, (one) => {
      // JSON has no negative zero.
      expect(JSON.parse(rankBody(one))).toMatchObject(JSON.parse(JSON.stringify(shown(one))));
    }),
  );
});

test("any explanation is protobuf that a client reads as the same", () => {
  const options = { includeDirs: ["proto"], oneofs: true, arrays: true, objects: true };
  const contract = loadSync("setlist/v1/ranking.proto", options);
  const service = contract["setlist.v1.RankingService"] as ServiceDefinition;
  fc.assert(
    fc.property(answer, (one) => {
      expect(service["Rank"]?.responseDeserialize(writeRankResponse(one))).toMatchObject(shown(one));
    }),
  );
});
