import { describe, expect, test } from "vitest";
import { compareVersions, wantedVersions } from "../../src/inference/version-policy.ts";

const versions = ["1", "2", "9", "10"];

describe("a version policy", () => {
  test("wants the highest, and the next where that cannot be served", () => {
    expect(wantedVersions("latest", versions)).toEqual({ candidates: ["10", "9", "2", "1"], count: 1 });
  });

  test("wants the n highest", () => {
    expect(wantedVersions("latest 3", versions).count).toBe(3);
  });

  test("wants all", () => {
    expect(wantedVersions("all", versions)).toEqual({ candidates: ["10", "9", "2", "1"], count: 4 });
  });

  test("wants those of its list that there are", () => {
    expect(wantedVersions(["2", "10", "77"], versions)).toEqual({ candidates: ["10", "2"], count: 2 });
  });

  test("wants nothing of nothing", () => {
    expect(wantedVersions("latest", []).candidates).toEqual([]);
  });
});

test("versions are compared as numbers, however long", () => {
  const long = "9".repeat(30);
  expect(["10", long, "9", `1${"0".repeat(30)}`].sort(compareVersions)).toEqual([
    "9",
    "10",
    long,
    `1${"0".repeat(30)}`,
  ]);
});
