import fc from "fast-check";
import { expect, test } from "vitest";
import type { CounterfactualRecord } from "../../src/domain/counterfactual.ts";
import type { Impression } from "../../src/domain/impression.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import type { LogRecord } from "../../src/domain/outcome-log.ts";
import type { ShadowComparison } from "../../src/domain/shadow.ts";
import { checkFrame, cutShort, frameHeaderBytes, stampFrames } from "../../src/outcomes/frame.ts";
import {
  answeredRequestBytes,
  idBytes,
  readRecord,
  writeComparisonFrame,
  writeImpressionFrame,
  writeOutcomeFrame,
} from "../../src/outcomes/record-codec.ts";
import { RecordWriter } from "../../src/outcomes/record-writer.ts";
import { fullImpressionOf } from "../support/log-records.ts";

/** Any Unicode up to an id's 256 bytes, ASCII ids of every length around the codec's own bounds, and lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 256 }),
  fc.string({ unit: "binary", maxLength: 64 }),
  fc.string({ unit: "grapheme", maxLength: 16 }),
  fc.uuid(),
);
/** Plain objects, as the core makes them. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { noNullPrototype: true });
const count = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeNat());
const number = fc.double();
const probability = fc.oneof(fc.float({ min: 0, max: 1, noNaN: true }), fc.double());
const tasks = fc.dictionary(
  fc.oneof(fc.constantFrom("click", "completion", "like", "__proto__"), text),
  probability,
  {
    maxKeys: 4,
    noNullPrototype: true,
  },
);

const anyItems = fc.array(plain({ id: text, position: count, score: number, tasks }), { maxLength: 8 });
/** As a model answers: positions 1, 2, 3, …, the same tasks everywhere. */
const modelItems = fc
  .tuple(
    fc.array(fc.tuple(text, number, fc.float(), fc.float()), { maxLength: 60 }),
    fc
      .tuple(text, text)
      .filter(([a, b]) => a !== b && ![a, b].some((name) => /^\d/.test(name) || name === "__proto__")),
  )
  .map(([rows, [first, second]]) =>
    rows.map(([id, score, one, two], i) => ({
      id,
      position: i + 1,
      score,
      tasks: { [first]: one, [second]: two },
    })),
  );

const impression: fc.Arbitrary<Impression> = plain({
  kind: fc.constant("impression" as const),
  requestId: text,
  at: number,
  surface: text,
  userId: text,
  assignments: fc.array(
    plain({
      experiment: text,
      arm: text,
      layer: text,
      phase: count,
      unit: text,
      propensity: number,
      overridden: fc.boolean(),
    }),
    { maxLength: 4 },
  ),
  model: fc.option(plain({ name: text, version: text }), { nil: undefined }),
  degraded: fc.array(
    fc.constantFrom("deadline", "overload", "model-unavailable", "feature-store-unavailable", "defaults:12"),
    { maxLength: 5 },
  ),
  timings: plain({ assign: number, features: number, queue: number, inference: number, rank: number }),
  candidateCount: count,
  items: fc.oneof(modelItems, anyItems),
});

const version = plain({ name: text, version: text });
const arm = plain({ arm: text, model: version });
const interleaved: fc.Arbitrary<Impression> = fc
  .tuple(
    impression,
    text,
    fc.tuple(arm, arm).filter(([one, other]) => one.arm !== other.arm),
    fc.array(fc.nat({ max: 5 }), { minLength: 60, maxLength: 60 }),
  )
  .map(([one, id, arms, slots]) => ({
    ...one,
    interleaving: {
      id,
      arms,
      slots: one.items.map((_, place) => {
        const slot = slots[place] as number;
        return { team: arms[slot % 3]?.arm, competitive: slot > 2 };
      }),
    },
  }));

const attributes = fc.dictionary(
  text.map((name) => `a${name}`),
  fc.oneof(
    text,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  ),
  { maxKeys: 4, noNullPrototype: true },
);
/** Rows of zeros too, such as padding is: 600 of them are longer than a sector. */
const values = fc.oneof(
  fc.array(fc.float(), { maxLength: 200 }).map((all) => Float32Array.from(all)),
  fc
    .array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 200 })
    .map((all) => Int32Array.from(all)),
  fc.nat({ max: 600 }).map((length) => new Float32Array(length)),
  fc.nat({ max: 600 }).map((length) => new Int32Array(length)),
);
const served = plain({
  model: version,
  rows: count,
  features: fc.array(
    plain({
      name: text,
      entity: fc.constantFrom("user" as const, "item" as const, "context" as const),
      input: text,
      encoding: text,
      width: count,
      values,
    }),
    { maxLength: 4 },
  ),
});
const full: fc.Arbitrary<Impression> = fc
  .tuple(
    fc.oneof(impression, interleaved),
    fc.record(
      {
        attributes: fc.record(
          { user: attributes, context: attributes },
          { requiredKeys: [], noNullPrototype: true },
        ),
        beyondLimit: fc.oneof(modelItems, anyItems),
        served: fc.array(served, { maxLength: 2 }),
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  )
  .map(([one, { beyondLimit, ...details }]) => ({
    ...one,
    ...details,
    ...(beyondLimit && {
      beyondLimit: beyondLimit.map((item, place) => ({ ...item, position: one.items.length + 1 + place })),
    }),
  }));

const outcome: fc.Arbitrary<Outcome> = plain({
  kind: fc.constant("outcome" as const),
  outcomeId: text,
  requestId: text,
  itemId: text,
  type: text,
  value: number,
  occurredAt: number,
  receivedAt: number,
});

const shadow: fc.Arbitrary<ShadowComparison> = plain({
  kind: fc.constant("shadow" as const),
  requestId: text,
  at: number,
  surface: text,
  model: version,
  shadow: version,
  candidateCount: count,
  tau: fc.option(number, { nil: undefined }),
  topK: count,
  overlap: number,
  scoreDifference: number,
});

const counterfactual: fc.Arbitrary<CounterfactualRecord> = plain({
  kind: fc.constant("counterfactual" as const),
  requestId: text,
  at: number,
  surface: text,
  experiment: text,
  phase: count,
  arm: text,
  model: version,
  other: text,
  otherModel: version,
  propensity: number,
  candidateCount: count,
  topK: count,
  overlap: number,
  agreeing: count,
  otherIds: fc.array(text, { maxLength: 20 }),
});

const record: fc.Arbitrary<LogRecord> = fc.oneof(
  impression,
  interleaved,
  full,
  outcome,
  shadow,
  counterfactual,
);
const salt = fc.nat({ max: 0xffffffff });
const offset = fc.integer({ min: 32, max: 2 ** 32 - 1 });

function writeFrame(to: RecordWriter, value: LogRecord): void {
  if (value.kind === "impression") writeImpressionFrame(to, value);
  else if (value.kind === "outcome") writeOutcomeFrame(to, value);
  else writeComparisonFrame(to, value);
}

function frameOf(value: LogRecord, salt: number, offset: number, synced = 32): Buffer {
  const to = new RecordWriter();
  writeFrame(to, value);
  const frame = to.bytes();
  stampFrames(frame, salt, offset, synced);
  return frame;
}

test("every impression, outcome and comparison comes back as it was given", () => {
  fc.assert(
    fc.property(record, salt, offset, (value, salt, offset) => {
      const frame = frameOf(value, salt, offset);
      expect(checkFrame(frame, 0, frame.length, salt, offset)).toBe(frame.length - frameHeaderBytes);
      expect(readRecord(frame, frameHeaderBytes, frame.length)).toStrictEqual(value);
    }),
    { numRuns: 500 },
  );
});

test("no values that were served look like a sector that never reached the disk", () => {
  const sector = Buffer.alloc(512);
  fc.assert(
    fc.property(served, (one) => {
      const frame = frameOf({ ...fullImpressionOf("r1", "u1"), served: [one, one] }, 0, 32);
      expect(frame.includes(sector)).toBe(false);
    }),
  );
});

test("a lone surrogate becomes U+FFFD, and only that", () => {
  fc.assert(
    fc.property(
      outcome,
      fc.string({ unit: fc.integer({ min: 0xd700, max: 0xe000 }).map((code) => String.fromCharCode(code)) }),
      (value, odd) => {
        const frame = frameOf({ ...value, itemId: odd }, 0, 32);
        expect(readRecord(frame, frameHeaderBytes, frame.length)).toStrictEqual({
          ...value,
          itemId: odd.toWellFormed(),
        });
      },
    ),
  );
});

test("a frame is found in the middle of others, each where it was stamped", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), salt, (values, salt) => {
      const to = new RecordWriter();
      for (const value of values) writeFrame(to, value);
      const frames = to.bytes();
      expect(stampFrames(frames, salt, 32, 32)).toBe(values.length);
      const found: LogRecord[] = [];
      for (let at = 0; at < frames.length; ) {
        const end = at + frameHeaderBytes + checkFrame(frames, at, frames.length, salt, 32 + at);
        found.push(readRecord(frames, at + frameHeaderBytes, end));
        at = end;
      }
      expect(found).toStrictEqual(values);
    }),
  );
});

test("every truncation of a record is a record cut short, never another one", () => {
  fc.assert(
    fc.property(record, salt, (value, salt) => {
      const frame = frameOf(value, salt, 32);
      for (let bytes = 0; bytes < frame.length; bytes++) {
        expect(checkFrame(frame, 0, bytes, salt, 32)).toBe(cutShort);
      }
    }),
    { numRuns: 50 },
  );
});

test("no byte of a record can change unseen", () => {
  fc.assert(
    fc.property(outcome, salt, fc.integer({ min: 1, max: 255 }), (value, salt, change) => {
      const frame = frameOf(value, salt, 32);
      for (let at = 0; at < frame.length; at++) {
        const damaged = Buffer.from(frame);
        damaged[at] = (damaged[at] as number) ^ change;
        expect(checkFrame(damaged, 0, damaged.length, salt, 32)).toBeLessThan(0);
      }
    }),
    { numRuns: 50 },
  );
});

test("a record that was moved, or belongs to another segment, is not valid where it stands", () => {
  fc.assert(
    fc.property(record, salt, offset, salt, offset, (value, salt, offset, otherSalt, otherOffset) => {
      fc.pre((salt + offset) % 2 ** 32 !== (otherSalt + otherOffset) % 2 ** 32);
      const frame = frameOf(value, salt, offset);
      expect(checkFrame(frame, 0, frame.length, otherSalt, otherOffset)).toBeLessThan(0);
    }),
  );
});

test("the ids that a start looks for stand where it looks", () => {
  fc.assert(
    fc.property(record, (value) => {
      const frame = frameOf(value, 0, 32);
      const slice = ({ start, end }: { start: number; end: number }) => frame.toString("utf8", start, end);
      const isOutcome = value.kind === "outcome";
      const id = isOutcome ? value.outcomeId : value.requestId;
      const second = isOutcome ? slice(answeredRequestBytes(frame, frameHeaderBytes, frame.length)) : "";
      expect(slice(idBytes(frame, frameHeaderBytes, frame.length))).toBe(id.toWellFormed());
      expect(second).toBe(isOutcome ? value.requestId.toWellFormed() : "");
    }),
  );
});

test("bytes that are no record are refused, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      expect(errorOf(() => readRecord(buffer, 0, buffer.length)) ?? new RangeError()).toBeInstanceOf(
        RangeError,
      );
      expect(checkFrame(buffer, 0, buffer.length, 1, 32)).toBeLessThan(0);
    }),
    { numRuns: 2_000 },
  );
});

function errorOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

test("an interleaved record of which nobody picked anything has no sector of zeros, which a lost one would have", () => {
  const arm = (name: string) => ({ arm: name, model: { name, version: "1" } });
  const slots = Array.from({ length: 2_000 }, () => ({ team: undefined, competitive: false }));
  const [one] = fc.sample(impression, 1) as [Impression];
  const items = slots.map((_, i) => ({ id: `t${i}`, position: i + 1, score: 0, tasks: {} }));
  const interleaving = { id: "r", arms: [arm("a"), arm("b")] as const, slots };
  const frame = frameOf({ ...one, items, interleaving }, 0, 32);
  expect(frame.includes(Buffer.alloc(512))).toBe(false);
});
