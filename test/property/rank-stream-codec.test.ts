import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RankAnswer } from "../../src/domain/rank.ts";
import { readMessage } from "../../src/grpc/message-reader.ts";
import { readRankRequest, readRankStreamRequest } from "../../src/grpc/rank-request-codec.ts";
import { writeRankResponse } from "../../src/grpc/rank-response-codec.ts";
import { writeStreamAnswer, writeStreamError } from "../../src/grpc/rank-stream-codec.ts";
import { readable } from "../support/readable-request.ts";

/** What anyone's client would write and read: the contract through proto-loader. */
const service = loadSync("setlist/v1/ranking.proto", {
  includeDirs: ["proto"],
  longs: Number,
  defaults: true,
  oneofs: true,
})["setlist.v1.RankingService"] as ServiceDefinition;
const unary = service["Rank"];
const stream = service["RankStream"];
if (unary === undefined || stream === undefined) throw new Error("the contract has no such methods");

const bytesMax = 1_048_576;
/** Also longer than what is written unit by unit, and than one byte of length. */
const text = fc.string({ unit: "binary", maxLength: 300 }).map((one) => one.toWellFormed());
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const sequence = fc.nat({ max: Number.MAX_SAFE_INTEGER });

function answerOf(requestId: string, ids: readonly string[], value: number): RankAnswer {
  return {
    requestId,
    surface: "home",
    items: ids.map((id, i) => ({ id, position: i + 1, score: value, tasks: { click: value, [id]: -value } })),
    assignments: [],
    model: { name: "home-control", version: "1" },
    degraded: [],
    timings: { assign: value, features: 2, queue: 3, inference: 4, rank: 5 },
    decisions: undefined,
  };
}

test("a request inside a stream's message is the request, whatever its length", () => {
  fc.assert(
    fc.property(text, fc.array(text), (surface, candidateIds) => {
      const request = { surface: `s${surface}`, user: { id: "u1" }, candidateIds };
      const inside = readMessage(stream.requestSerialize({ request }), readRankStreamRequest, bytesMax);
      const alone = readMessage(unary.requestSerialize(request), readRankRequest, bytesMax);
      expect(readable(inside)).toEqual(readable(alone));
    }),
  );
});

test("a request whose message comes in two parts is merged, and what a newer client adds is skipped", () => {
  const one = stream.requestSerialize({ request: { surface: "home", candidateIds: ["a"] } });
  const other = stream.requestSerialize({ request: { user: { id: "u1" }, candidateIds: ["b"] } });
  const unknown = Buffer.from([0x10, 0x96, 0x01, 0x1a, 2, 0x68, 0x69]);
  const read = readMessage(Buffer.concat([one, unknown, other]), readRankStreamRequest, bytesMax);
  expect(readable(read)).toMatchObject({ surface: "home", user: { id: "u1" }, candidateIds: ["a", "b"] });
});

test("any bytes are read or refused as the sender's fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      let refused: unknown;
      try {
        readMessage(Buffer.from(bytes), readRankStreamRequest, bytesMax);
      } catch (error) {
        refused = error;
      }
      expect([undefined, "INVALID_ARGUMENT"]).toContain((refused as { code?: string } | undefined)?.code);
    }),
    { numRuns: 2_000 },
  );
});

test("any answer is read by a client as the unary one, with its place and its timings", () => {
  fc.assert(
    fc.property(sequence, text, fc.array(text), number, (place, requestId, ids, value) => {
      const answer = answerOf(requestId, ids, value);
      const got = stream.responseDeserialize(writeStreamAnswer(place, answer));
      expect(got).toMatchObject({
        sequence: place,
        requestId,
        result: "answer",
        answer: unary.responseDeserialize(writeRankResponse(answer)),
        serverTiming: answer.timings,
      });
    }),
  );
});

test("any refusal is read by a client as what it says", () => {
  const retry = fc.option(fc.nat({ max: 2 ** 32 - 1 }), { nil: undefined });
  fc.assert(
    fc.property(sequence, text, text, retry, (place, requestId, detail, retryAfterSeconds) => {
      const error = { code: "UNAVAILABLE", detail, retryAfterSeconds } as const;
      const got = stream.responseDeserialize(writeStreamError(place, requestId, error));
      const { retryAfterSeconds: _, ...always } = error;
      expect(got).toMatchObject({ sequence: place, requestId, result: "error", error: always });
      const { error: read } = got as { error: { retryAfterSeconds?: number } };
      expect(read.retryAfterSeconds ?? undefined).toBe(retryAfterSeconds);
    }),
  );
});

test("an answer larger than any before it leaves the next small one as it should be", () => {
  const small = answerOf("small", ["a"], 0.5);
  const expected = writeRankResponse(small);
  const ids = Array.from({ length: 2_000 }, (_, i) => `${i}${"é".repeat(126)}`);
  for (const count of [200, 2_000, 2_000]) {
    const large = answerOf("large", ids.slice(0, count), 0.25);
    const got = unary.responseDeserialize(writeRankResponse(large)) as unknown as RankAnswer;
    expect(got.items.map(({ id }) => id)).toEqual(ids.slice(0, count));
    expect(writeRankResponse(small)).toEqual(expected);
  }
});
