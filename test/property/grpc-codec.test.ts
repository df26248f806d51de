import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RankAnswer } from "../../src/domain/rank.ts";
import { MessageReader } from "../../src/grpc/message-reader.ts";
import { readRankRequest } from "../../src/grpc/rank-request-codec.ts";
import { writeRankResponse } from "../../src/grpc/rank-response-codec.ts";
import { rankBody } from "../../src/http/rank-body.ts";
import { rankMessage } from "../support/rank-message.ts";
import { readable } from "../support/readable-request.ts";

/** What anyone's client would write and read: the contract through proto-loader. */
const contract = loadSync("setlist/v1/ranking.proto", {
  includeDirs: ["proto"],
  oneofs: true,
  arrays: true,
  objects: true,
});
const method = (contract["setlist.v1.RankingService"] as ServiceDefinition)["Rank"];
const written = (message: object): Buffer => method?.requestSerialize(message) ?? Buffer.alloc(0);
const read = (bytes: Buffer) => readable(readRankRequest(new MessageReader(bytes)));

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const name = text.filter((one) => one !== "__proto__");
const number = fc.double({ noNaN: true });
const float = fc.float({ noNaN: true });
const features = fc.dictionary(
  name,
  fc.oneof(number, text, fc.array(float, { minLength: 1 }), fc.array(text, { minLength: 1 })),
  { noNullPrototype: true },
);
const attributes = fc.dictionary(
  name,
  fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
  { noNullPrototype: true },
);
const rankRequest = fc
  .record(
    {
      requestId: text,
      surface: text,
      user: fc.record({ id: text, attributes, features }),
      context: fc.record({ attributes, features }),
      limit: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      timeoutMs: number,
      explain: fc.boolean(),
    },
    { requiredKeys: ["surface", "user", "explain"] },
  )
  .chain((request) =>
    fc.oneof(
      fc.array(text, { minLength: 1 }).map((candidateIds) => ({ ...request, candidateIds })),
      fc
        .array(fc.record({ id: text, features }), { minLength: 1 })
        .map((candidates) => ({ ...request, candidates })),
    ),
  );

/** Without the features that are empty: on the wire they are as if absent. */
const asRead = (request: { candidates?: { id: string; features: object }[] }) => ({
  ...request,
  ...(request.candidates === undefined
    ? {}
    : {
        candidates: request.candidates.map(({ id, features: own }) =>
          Object.keys(own).length === 0 ? { id } : { id, features: own },
        ),
      }),
});

test("any request that a client writes is read as what it meant", () => {
  fc.assert(
    fc.property(rankRequest, (request) => {
      expect(read(written(rankMessage(request)))).toEqual(asRead(request as never));
    }),
  );
});

test("a request that is cut anywhere is never read as another one without a word", () => {
  fc.assert(
    fc.property(rankRequest, fc.nat(), (request, at) => {
      const bytes = written(rankMessage(request));
      const cut = bytes.subarray(0, at % bytes.length);
      const outcome = (): unknown => {
        try {
          return read(cut);
        } catch (error) {
          return error;
        }
      };
      const got = outcome();
      // Between two fields a cut message is a message: then what was read is what those fields say, nothing half.
      const whole =
        got instanceof Error || written(rankMessage(got as Record<string, unknown>)).length <= cut.length + 2;
      expect(whole).toBe(true);
    }),
  );
});

test("any bytes are read or refused, never crash otherwise nor hang", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      let refused: unknown;
      try {
        read(Buffer.from(bytes));
      } catch (error) {
        refused = error;
      }
      expect(refused === undefined || refused instanceof Error).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("fields that a newer client knows are skipped wherever they stand", () => {
  const known = written({ surface: "home", user: { id: "u1" }, candidateIds: ["a"] });
  const unknown = [
    Buffer.from([0xf8, 0x01, 0x96, 0x01]), // field 31, varint
    Buffer.from([0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8]), // 64 bits
    Buffer.from([0xfa, 0x01, 2, 0x68, 0x69]), // bytes
    Buffer.from([0xfd, 0x01, 1, 2, 3, 4]), // 32 bits
  ];
  expect(read(Buffer.concat([...unknown, known, ...unknown]))).toEqual(read(known));
});

test("numbers are read packed, one by one and raw alike", () => {
  const values = [1, 0.5, -3];
  const numbers = (feature: object) =>
    read(written({ surface: "home", user: { id: "u1", features: { x: feature } } })).user.features?.["x"];
  const raw = Buffer.from(Float32Array.from(values).buffer);
  expect(numbers({ numbers: { values } })).toEqual(values);
  expect(numbers({ raw })).toEqual(values);

  const float = (value: number) => {
    const field = Buffer.alloc(5);
    field[0] = 0x0d;
    field.writeFloatLE(value, 1);
    return field;
  };
  const wrap = (field: number, body: Buffer) =>
    Buffer.concat([Buffer.from([(field << 3) | 2, body.length]), body]);
  const unpacked = wrap(2, Buffer.concat(values.map(float)));
  const entry = Buffer.concat([wrap(1, Buffer.from("x")), wrap(2, unpacked)]);
  const user = Buffer.concat([wrap(1, Buffer.from("u1")), wrap(3, entry)]);
  const bytes = Buffer.concat([wrap(2, Buffer.from("home")), wrap(3, user)]);
  expect(read(bytes).user.features).toEqual({ x: values });
});

test("a message that comes in two parts is merged", () => {
  const one = written({ surface: "home", user: { id: "u1", attributes: { a: { flag: true } } } });
  const other = written({ user: { id: "u2", attributes: { b: { flag: false } } } });
  expect(read(Buffer.concat([one, other])).user).toEqual({
    id: "u2",
    attributes: { a: true, b: false },
    features: {},
  });
});

const answer: fc.Arbitrary<RankAnswer> = fc.record({
  requestId: fc.string({ unit: "grapheme", maxLength: 80 }),
  surface: text,
  items: fc.array(
    fc.record({
      id: fc.string({ unit: "binary", maxLength: 80 }).map((id) => id.toWellFormed()),
      position: fc.nat(),
      score: fc.double({ noNaN: true, noDefaultInfinity: true }),
      tasks: fc.dictionary(name, fc.double({ noNaN: true, noDefaultInfinity: true }), {
        noNullPrototype: true,
      }),
    }),
  ),
  assignments: fc.array(
    fc.record({
      experiment: text,
      arm: text,
      layer: text,
      phase: fc.nat(),
      unit: text,
      propensity: fc.double({ min: 0, max: 1, noNaN: true }),
      overridden: fc.boolean(),
    }),
  ),
  model: fc.option(fc.record({ name: text, version: text }), { nil: undefined }),
  degraded: fc.subarray(["deadline", "overload", "defaults:3"] as const),
  timings: fc.constant({ assign: 0, features: 0, queue: 0, inference: 0, rank: 0 }),
  decisions: fc.constant(undefined),
});

/** What the contract shows of an answer. */
const shown = ({ requestId, surface, items, assignments, model, degraded }: RankAnswer) => ({
  requestId,
  surface,
  items: items.map(({ id, score, tasks }) => ({ id, score, tasks })),
  assignments: assignments.map(({ experiment, arm, layer }) => ({ experiment, arm, layer })),
  model: model ?? null,
  degraded,
});

/** JSON has no negative zero. */
const withoutNegativeZero = (value: unknown) => JSON.parse(JSON.stringify(value));

test("any answer is JSON that says what the contract shows", () => {
  fc.assert(
    fc.property(answer, (one) => {
      expect(JSON.parse(rankBody(one))).toEqual(withoutNegativeZero(shown(one)));
    }),
  );
});

test("any answer is protobuf that a client reads as the same", () => {
  fc.assert(
    fc.property(answer, (one) => {
      const got = method?.responseDeserialize(writeRankResponse(one)) as unknown as Partial<RankAnswer>;
      const { model, ...rest } = shown(one);
      expect({ ...got, model: got.model ?? null }).toMatchObject({ ...rest, model });
    }),
  );
});
