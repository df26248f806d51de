import { readFileSync } from "node:fs";
import { join } from "node:path";
import cdf from "@stdlib/stats-base-dists-chisquare-cdf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { murmur3, utf8 } from "../../src/domain/murmur3.ts";
import { bucketOf } from "../../src/experiments/bucket.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { arm, experimentWith, noAttributes } from "../support/experiments.ts";

const anyText = fc.string({ unit: "binary", maxLength: 40 });

describe("a unit's place", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/assignment.md"), "utf8");
  const vectors = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| (\d+) \| (0\.\d+) \|$/gm)];

  test("is published with vectors for every length of a block's rest and for text beyond ASCII", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(15);
  });

  test.each(vectors.map(([, salt = "", unit = "", hash, bucket]) => [salt, unit, Number(hash), bucket]))(
    "of %s and %s is the published one",
    (salt, unit, hash, bucket) => {
      expect(murmur3(`${salt}:${unit}`)).toBe(hash);
      expect(bucketOf(String(salt))(utf8(String(unit))).toFixed(10)).toBe(bucket);
    },
  );

  test("is the plain hash of the joined text, for any salt and unit", () => {
    fc.assert(
      fc.property(anyText, anyText, (salt, unit) => {
        expect(bucketOf(salt)(utf8(unit))).toBe(murmur3(`${salt}:${unit}`) / 2 ** 32);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is the hash of the UTF-8 bytes, whatever the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8(text)).toEqual([...new TextEncoder().encode(text)]);
      }),
    );
  });
});

const idsPerAlphabet = 120_000;
const alphabets: [string, (i: number) => string][] = [
  ["sequential numbers", (i) => String(i)],
  ["the demo's listeners", (i) => `u${i}`],
  ["hexadecimal, padded", (i) => i.toString(16).padStart(32, "0")],
  ["e-mail addresses", (i) => `person.${i.toString(36)}@example.org`],
  ["Japanese", (i) => `利用者${i}`],
];

describe.each(alphabets)("over 120,000 ids of %s", (_name, idOf) => {
  const ids = Array.from({ length: idsPerAlphabet }, (_, i) => utf8(idOf(i)));

  test("places are uniform, down to one part in ten thousand", () => {
    for (const salt of ["layer:home-ranker", "home-kd", "a"]) {
      const bucket = bucketOf(salt);
      for (const cells of [2, 100, 10_000]) {
        const counts = new Array<number>(cells).fill(0);
        for (const id of ids) bump(counts, Math.floor(bucket(id) * cells));
        expect(chiSquareP(counts), `${salt}, ${cells} cells`).toBeGreaterThan(1e-4);
      }
    }
  });

  test.each([
    ["a layer and an experiment's arms", "layer:home-ranker", "home-kd"],
    ["two layers", "layer:home-ranker", "layer:radio-ranker"],
    ["two experiments that differ by one character", "exp-1", "exp-2"],
  ])("places are independent between %s", (_what, one, other) => {
    const [first, second] = [bucketOf(one), bucketOf(other)];
    const counts = new Array<number>(400).fill(0);
    for (const id of ids) bump(counts, Math.floor(first(id) * 20) * 20 + Math.floor(second(id) * 20));
    expect(chiSquareP(counts)).toBeGreaterThan(1e-4);
  });
});

test("arms get their shares of the weights", () => {
  const weights = [1, 3, 0, 6];
  const arms = weights.map((weight, i) => arm(i === 0 ? "control" : `t${i}`, { weight }));
  const assigner = compileAssigner([experimentWith({ arms })]);
  const counts = new Map(arms.map(({ id }) => [id, 0]));
  for (let i = 0; i < 100_000; i++) {
    for (const got of assigner.assign("home", `u${i}`, noAttributes)) {
      counts.set(got.arm, (counts.get(got.arm) ?? 0) + 1);
    }
  }
  expect(counts.get("t2")).toBe(0);
  const shown = ["control", "t1", "t3"].map((id) => counts.get(id) ?? 0);
  expect(chiSquareP(shown, [0.1, 0.3, 0.6])).toBeGreaterThan(1e-4);
});

test("explain agrees with assign, whatever the experiments", () => {
  const status = fc.constantFrom("draft", "running", "running", "running", "paused", "stopped");
  const one = fc.record({
    status,
    surface: fc.constantFrom("home", "radio"),
    layer: fc.constantFrom("a", "b", "c"),
    traffic: fc.constantFrom(0, 0.1, 0.3),
    targeting: fc.constantFrom(undefined, "user.country == 'DE'", "user.age > 30 || context.beta"),
    overrides: fc.dictionary(fc.constantFrom("u1", "u2"), fc.constantFrom("control", "treated")),
  });
  const attributes = fc.record({
    user: fc.record({ country: fc.constantFrom("DE", "FR"), age: fc.integer() }, { requiredKeys: [] }),
    context: fc.record({ beta: fc.boolean() }, { requiredKeys: [] }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 3 }), attributes, fc.nat(50), (documents, asked, n) => {
      const experiments: ReturnType<typeof experimentWith>[] = [];
      for (const [i, over] of documents.entries()) {
        experiments.push(experimentWith({ ...over, id: `e${i}` } as never, experiments));
      }
      const assigner = compileAssigner(experiments);
      for (const surface of ["home", "radio"]) {
        const assigned = assigner.assign(surface, `u${n}`, asked).map((got) => [got.experiment, got.arm]);
        const explained = assigner
          .explain(surface, `u${n}`, asked)
          .flatMap((decision) => (decision.arm === undefined ? [] : [[decision.experiment, decision.arm]]));
        expect(assigned).toEqual(explained);
      }
    }),
    { numRuns: 300 },
  );
});

function bump(counts: number[], cell: number): void {
  counts[cell] = (counts[cell] ?? 0) + 1;
}

function chiSquareP(counts: readonly number[], shares?: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const statistic = counts.reduce((sum, count, i) => {
    const expected = total * (shares?.[i] ?? 1 / counts.length);
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  return 1 - cdf(statistic, counts.length - 1);
}
