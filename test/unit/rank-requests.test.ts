import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { protobufField } from "../../loadtest/protobuf-field.ts";
import { drawRankRequests, grpcRankRequests, httpRankRequests } from "../../loadtest/rank-requests.ts";

const shape = { seed: 1, surface: "home", candidates: 20, limit: 10, listeners: 50, tracks: 100 };

describe("requests of a load test", () => {
  it("name distinct tracks and a listener of the world", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(), (candidates, seed) => {
        const [body] = drawRankRequests({ ...shape, candidates, seed }, 1);
        const numbers = body?.candidateIds.map((id) => Number(/^t(\d+)$/.exec(id)?.[1])) ?? [];
        expect(new Set(numbers).size).toBe(candidates);
        expect(numbers.every((number) => number >= 1 && number <= 100)).toBe(true);
        expect(Number(/^u(\d+)$/.exec(body?.user.id ?? "")?.[1])).toBeLessThanOrEqual(50);
      }),
    );
  });

  it("repeat themselves for the same seed", () => {
    expect(drawRankRequests(shape, 5)).toEqual(drawRankRequests(shape, 5));
    expect(drawRankRequests(shape, 5)).not.toEqual(drawRankRequests({ ...shape, seed: 2 }, 5));
  });

  it("refuse more candidates than there are tracks", () => {
    expect(() => drawRankRequests({ ...shape, candidates: 101 }, 1)).toThrow(/at most 100/);
  });

  it("say the same over both transports", () => {
    const bodies = drawRankRequests(shape, 1);
    const [http] = httpRankRequests(bodies, "http://127.0.0.1:8080");
    const [grpc] = grpcRankRequests(bodies);
    expect(JSON.parse(http?.toString().split("\r\n\r\n")[1] ?? "")).toEqual(bodies[0]);
    const message = grpc?.subarray(5) ?? Buffer.alloc(0);
    expect(grpc?.readUInt32BE(1)).toBe(message.length);
    expect(Buffer.from(protobufField(message, 2) ?? []).toString()).toBe("home");
  });
});

describe("a field of a protobuf message", () => {
  it("is absent where the message does not have it", () => {
    const [grpc] = grpcRankRequests(drawRankRequests(shape, 1));
    expect(protobufField(grpc?.subarray(5) ?? Buffer.alloc(0), 99)).toBeUndefined();
    expect(protobufField(Buffer.alloc(0), 1)).toBeUndefined();
  });

  it("is found behind fields of every wire type", () => {
    // 1: varint 300; 2: fixed64; 3: fixed32; 4: "ab".
    const message = Buffer.from([
      0x08, 0xac, 0x02, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1d, 1, 2, 3, 4, 0x22, 2, 97, 98,
    ]);
    expect(Buffer.from(protobufField(message, 4) ?? []).toString()).toBe("ab");
  });

  it("is refused in what is no protobuf message", () => {
    expect(() => protobufField(Buffer.from([0x0b]), 7)).toThrow(/wire type 3/);
  });
});
