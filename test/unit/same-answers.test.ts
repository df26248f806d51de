import { describe, expect, it } from "vitest";
import { differenceOf } from "../../loadtest/same-answers.ts";

const items = (...scored: readonly (readonly [string, number])[]) =>
  scored.map(([id, score]) => ({ id, score }));

describe("two servers' answers to one request", () => {
  const one = items(["a", 0.9], ["b", 0.5], ["c", 0.5], ["d", 0.1]);

  it("are the same where ids and scores are, up to a float32's last bits", () => {
    expect(differenceOf(one, items(["a", 0.900001], ["b", 0.5], ["c", 0.5], ["d", 0.1]))).toBeUndefined();
  });

  it("are the same where items of one score stand in another order, also where the list ends among them", () => {
    expect(differenceOf(one, items(["a", 0.9], ["c", 0.5], ["b", 0.5], ["d", 0.1]))).toBeUndefined();
    expect(differenceOf(one, items(["a", 0.9], ["b", 0.5], ["c", 0.5], ["e", 0.1]))).toBeUndefined();
  });

  it("differ by an item, a score or a length, and the first difference is named", () => {
    expect(differenceOf(one, items(["a", 0.9], ["x", 0.5], ["c", 0.5], ["d", 0.1]))).toMatch(/place 1: b/);
    expect(differenceOf(one, items(["a", 0.8], ["b", 0.5], ["c", 0.5], ["d", 0.1]))).toMatch(
      /place 0: a with 0.9, a with 0.8/,
    );
    expect(differenceOf(one, one.slice(1))).toBe("4 items and 3");
  });
});
