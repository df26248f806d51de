import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { murmur3, utf8 } from "../../src/domain/murmur3.ts";
import { Bucket, UnitKey } from "../../src/experiments/bucket.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { arm, experimentWith, noAttributes } from "../support/experiments.ts";
import { alphabets, chiSquareP, placeFigures } from "../support/place-figures.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/assignment.md"), "utf8");
const anyText = fc.string({ unit: "binary", maxLength: 40 });

describe("a unit's place", () => {
  const vectors = [...page.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| (\d+) \| (0\.\d+) \|$/gm)];

  test("is published with vectors for every length of a block's rest and for text beyond ASCII", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(15);
  });

  test.each(vectors.map(([, salt = "", unit = "", hash, bucket]) => [salt, unit, Number(hash), bucket]))(
    "of %s and %s is the published one",
    (salt, unit, hash, bucket) => {
      expect(murmur3(`${salt}:${unit}`)).toBe(hash);
      expect(new Bucket(String(salt)).placeOf(new UnitKey(String(unit))).toFixed(10)).toBe(bucket);
    },
  );

  test("is the plain hash of the joined text, for any salt and unit", () => {
    fc.assert(
      fc.property(anyText, anyText, (salt, unit) => {
        expect(new Bucket(salt).placeOf(new UnitKey(unit))).toBe(murmur3(`${salt}:${unit}`) / 2 ** 32);
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

describe.each(alphabets)("over a million ids of $name", ({ name, idOf }) => {
  const figures = placeFigures(idOf);

  test("places are uniform, down to one part in ten thousand", () => {
    for (const { salt, cells, p } of figures.uniform)
      expect(p, `${salt}, ${cells} cells`).toBeGreaterThan(1e-4);
    // 100 expected, with a standard deviation of 10.
    expect(Math.abs(figures.oneInTenThousand - 100)).toBeLessThan(40);
  });

  test("places are independent between layers, holdouts and experiments", () => {
    for (const { pair, p } of figures.independent) expect(p, pair).toBeGreaterThan(1e-4);
  });

  test("the figures are the published ones", () => {
    const least = (all: readonly { readonly p: number }[]) => Math.min(...all.map(({ p }) => p)).toFixed(4);
    const { uniform, independent, oneInTenThousand } = figures;
    expect(page).toContain(`| ${name} | ${least(uniform)} | ${least(independent)} | ${oneInTenThousand} |`);
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
  const one = fc.record(
    {
      status,
      surface: fc.constantFrom("home", "radio"),
      layer: fc.constantFrom("a", "b", "c"),
      unit: fc.constantFrom("user", "user", "session", "user.age"),
      traffic: fc.constantFrom(0, 0.1, 0.3),
      targeting: fc.constantFrom(undefined, "user.country == 'DE'", "user.age > 30 || context.beta"),
      overrides: fc.dictionary(fc.constantFrom("u1", "u2"), fc.constantFrom("control", "treated")),
      sticky: fc.boolean(),
      asks: fc.array(fc.nat(2), { maxLength: 1 }),
    },
    { noNullPrototype: true },
  );
  const attributes = fc.record({
    user: fc.record({ country: fc.constantFrom("DE", "FR"), age: fc.integer() }, { requiredKeys: [] }),
    context: fc.record({ beta: fc.boolean() }, { requiredKeys: [] }),
    session: fc.constantFrom(undefined, "s1", "s2"),
  });
  const share = fc.constantFrom(0, 0.2, 0.9);
  const holdouts = fc.constantFrom("user", "session").chain((unit) =>
    fc.array(
      share.map((of) => ({ id: "out", share: of, unit: unit as "user" | "session", layers: ["a", "b"] })),
      { maxLength: 1 },
    ),
  );
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 3 }),
      attributes,
      fc.nat(50),
      holdouts,
      (documents, asked, n, out) => {
        const experiments: ReturnType<typeof experimentWith>[] = [];
        for (const [i, { asks, ...over }] of documents.entries()) {
          const earlier = asks.filter((other) => other < i);
          const prerequisites = earlier.map((other) => ({ experiment: `e${other}`, arms: ["treated"] }));
          experiments.push(experimentWith({ ...over, prerequisites, id: `e${i}` } as never, experiments));
        }
        const keptArm = (_experiment: string, unit: string) =>
          unit.endsWith("1") ? { arm: "treated", phase: 1, propensity: 0.25 } : undefined;
        const assigner = compileAssigner(experiments, { holdouts: out, keptArm });
        for (const surface of ["home", "radio"]) {
          const assigned = assigner.assign(surface, `u${n}`, asked).map((got) => [got.experiment, got.arm]);
          const explained = assigner
            .explain(surface, `u${n}`, asked)
            .flatMap((decision) => (decision.arm === undefined ? [] : [[decision.experiment, decision.arm]]));
          expect(assigned).toEqual(explained);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test("growing a holdout only adds units, and leaves the others the arms they had", () => {
  const experiments = ["a", "b", "c"].map((id) => experimentWith({ id, layer: id }));
  const part = fc.integer({ min: 0, max: 10_000 }).map((parts) => parts / 10_000);
  fc.assert(
    fc.property(part, part, fc.nat(1_000), (one, other, from) => {
      const [small, large] = [Math.min(one, other), Math.max(one, other)].map((share) =>
        compileAssigner(experiments, { holdouts: [{ id: "out", share, unit: "user" }] }),
      );
      for (let i = from; i < from + 50; i++) {
        const before = small?.assign("home", `u${i}`, noAttributes) ?? [];
        const after = large?.assign("home", `u${i}`, noAttributes) ?? [];
        expect([before, []]).toContainEqual(after);
      }
    }),
    { numRuns: 100 },
  );
});

test("a prerequisite leaves the arms of the other experiment to chance", () => {
  const first = experimentWith({ id: "first", layer: "l1" });
  const second = experimentWith({
    id: "second",
    layer: "l2",
    prerequisites: [{ experiment: "first", arms: ["treated"] }],
  });
  const assigner = compileAssigner([first, second]);
  const counts = { control: 0, treated: 0 };
  for (let i = 0; i < 100_000; i++) {
    const [one, two] = assigner.assign("home", `u${i}`, noAttributes);
    if (two === undefined) continue;
    expect(one?.arm).toBe("treated");
    counts[two.arm as keyof typeof counts]++;
  }
  expect(Math.abs(counts.control + counts.treated - 50_000)).toBeLessThan(1_000);
  expect(chiSquareP([counts.control, counts.treated])).toBeGreaterThan(1e-4);
});
