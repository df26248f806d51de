import { describe, expect, test } from "vitest";
import type { SetlistError } from "../../src/domain/error.ts";
import { defaultLimits } from "../../src/domain/limits.ts";
import { parseRankRequest, type WireRankRequest } from "../../src/serving/rank-request.ts";

const rules = { limits: defaultLimits, surfaces: ["home", "radio"], newRequestId: () => "made" };
const good: WireRankRequest = { surface: "home", user: { id: "u1" }, candidateIds: ["a", "b"] };

function complaint(change: Partial<WireRankRequest>): SetlistError {
  try {
    parseRankRequest({ ...good, ...change }, rules);
  } catch (error) {
    return error as SetlistError;
  }
  throw new Error("expected a complaint");
}

describe("parsing a rank request", () => {
  test("fills in what is absent and turns the short form into candidates", () => {
    expect(parseRankRequest(good, rules)).toEqual({
      requestId: "made",
      surface: "home",
      user: { id: "u1", attributes: {}, features: {} },
      context: { attributes: {}, features: {} },
      candidates: [{ id: "a" }, { id: "b" }],
      limit: undefined,
      timeoutMs: undefined,
      explain: false,
    });
  });

  test("accepts ids of exactly 256 bytes and exactly 2,000 candidates", () => {
    const candidateIds = Array.from({ length: 2_000 }, (_, i) => `t${i}`);
    candidateIds[0] = "é".repeat(128);
    expect(parseRankRequest({ ...good, candidateIds }, rules).candidates).toHaveLength(2_000);
  });

  test.each<[string, Partial<WireRankRequest>]>([
    ["user.id", { user: { id: "" } }],
    ["user.id", { user: { id: "é".repeat(129) } }],
    ["user.id", { user: { id: "\udc00" } }],
    ["requestId", { requestId: "" }],
    ["interleaveId", { interleaveId: "" }],
    ["interleaveId", { interleaveId: "é".repeat(129) }],
    ["candidates", { candidateIds: undefined }],
    ["candidates", { candidates: [{ id: "a" }] }],
    ["candidateIds", { candidateIds: [] }],
    ["candidateIds", { candidateIds: Array.from({ length: 2_001 }, (_, i) => `t${i}`) }],
    ["candidateIds[2]", { candidateIds: ["a", "b", "a"] }],
    ["candidates[1].id", { candidateIds: undefined, candidates: [{ id: "a" }, { id: "" }] }],
    [
      "candidates[0].features.x",
      { candidateIds: undefined, candidates: [{ id: "a", features: { x: Number.NaN } }] },
    ],
    [
      "candidates[0].features.x",
      { candidateIds: undefined, candidates: [{ id: "a", features: { x: [1, Number.POSITIVE_INFINITY] } }] },
    ],
    ["user.features.x", { user: { id: "u", features: { x: Array(1_025).fill(0) } } }],
    [
      "context.features",
      { context: { features: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`f${i}`, 1])) } },
    ],
    ["context.attributes.x", { context: { attributes: { x: Number.NaN } } }],
    ["limit", { limit: 0 }],
    ["limit", { limit: -1 }],
    ["limit", { limit: 1.5 }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: Number.NaN }],
  ])("refuses a wrong %s by its name", (field, change) => {
    const error = complaint(change);
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message.split(": ")[0]).toBe(field);
  });

  test("knows no other surface than the configured ones", () => {
    const error = complaint({ surface: "hme" });
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toBe('surface: no surface "hme" (did you mean "home"?)');
  });
});
