import fc from "fast-check";
import { expect, test } from "vitest";
import type { Features } from "../../src/domain/feature.ts";
import type { Impression, SentFeatures } from "../../src/domain/impression.ts";
import { frameHeaderBytes } from "../../src/outcomes/frame.ts";
import { readRecord, writeImpressionFrame } from "../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../src/outcomes/record-writer.ts";
import { impressionOf } from "../support/log-records.ts";

/** JSON knows no -0, and values of mixed kinds are kept as JSON. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom("", "t1", "\0".repeat(600), "\ud800", "a".repeat(128), "a".repeat(129)),
);
const value = fc.oneof(
  number,
  text,
  fc.array(number, { maxLength: 100 }),
  fc.array(text, { maxLength: 10 }),
  fc.array(fc.oneof(number, text), { maxLength: 5 }) as fc.Arbitrary<string[]>,
  fc.constant(new Array<number>(1_024).fill(0)),
  fc.constant(new Array<string>(1_024).fill("")),
);
const features: fc.Arbitrary<Features> = fc.dictionary(
  fc.oneof(fc.constantFrom("seed_content", "__proto__", "7", "\0".repeat(600)), text),
  value,
  { maxKeys: 3, noNullPrototype: true },
);
const itemIds = ["t1", "t2", "t3"];
const sent: fc.Arbitrary<SentFeatures> = fc.record(
  {
    user: features,
    context: features,
    items: fc.array(fc.option(features, { nil: undefined }), { minLength: 3, maxLength: 3 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

function written(impression: Impression): Buffer {
  const to = new RecordWriter();
  writeImpressionFrame(to, impression);
  return to.bytes();
}

test("what a request sent comes back as it was sent, of user, context and every item", () => {
  fc.assert(
    fc.property(sent, (sent) => {
      const impression = { ...impressionOf("r1", "u1", "kd", itemIds), sent };
      const frame = written(impression);
      expect(readRecord(frame, frameHeaderBytes, frame.length)).toStrictEqual(impression);
    }),
    { numRuns: 500 },
  );
});

test("no features look like a sector that never reached the disk", () => {
  const sector = Buffer.alloc(512);
  fc.assert(
    fc.property(sent, (sent) => {
      const frame = written({ ...impressionOf("r1", "u1", "kd", itemIds), sent });
      expect(frame.indexOf(sector)).toBe(-1);
    }),
    { numRuns: 500 },
  );
});

test("two thousand items of which the last alone has features hold no such sector either", () => {
  const ids = Array.from({ length: 2_000 }, (_, i) => `t${i}`);
  const items = ids.map((_, i) => (i === 1_999 ? { plays_week: 0 } : undefined));
  const frame = written({ ...impressionOf("r1", "u1", "kd", ids), sent: { items } });
  expect(frame.indexOf(Buffer.alloc(512))).toBe(-1);
});

test("a payload cut anywhere inside the features is an error, never another record", () => {
  const sent = { user: { taste: [1, 2] }, context: { seed_track: "t9", odd: "" }, items: [{ genre: ["x"] }] };
  const frame = written({ ...impressionOf("r1", "u1", "kd", ["t1"]), sent });
  const bare = written(impressionOf("r1", "u1", "kd", ["t1"])).length;
  for (let end = bare; end < frame.length; end++) {
    expect(() => readRecord(frame, frameHeaderBytes, end), `cut at ${end}`).toThrow(RangeError);
  }
});
