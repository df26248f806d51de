import { describe, expect, test } from "vitest";
import type { Holdout } from "../../src/domain/experiment.ts";
import { murmur3 } from "../../src/domain/murmur3.ts";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { experimentWith, noAttributes } from "../support/experiments.ts";

const experiments = [
  experimentWith({ id: "a", layer: "l1" }),
  experimentWith({ id: "b", layer: "l2" }),
  experimentWith({ id: "c", layer: "l3", overrides: { qa: "treated" } }),
];
const placeOf = (holdout: string, unit: string) => murmur3(`holdout:${holdout}:${unit}`) / 2 ** 32;
const units = Array.from({ length: 500 }, (_, i) => `u${i}`);

function assignerWith(...holdouts: Partial<Holdout>[]) {
  return compileAssigner(experiments, {
    holdouts: holdouts.map((one) => ({ id: "all", share: 0.2, unit: "user" as const, ...one })),
  });
}

test("a held-out unit enters no experiment of the layers, and every other unit enters as it would", () => {
  const assigner = assignerWith({ layers: ["l1", "l3"] });
  const without = compileAssigner(experiments);
  for (const unit of units) {
    const all = without.assign("home", unit, noAttributes);
    const isOut = placeOf("all", unit) < 0.2;
    expect(assigner.assign("home", unit, noAttributes)).toEqual(
      all.filter(({ layer }) => !isOut || layer === "l2"),
    );
  }
});

describe("an explanation", () => {
  const [out = "", inside = ""] = [0, 1].map((want) =>
    units.find((unit) => Number(placeOf("all", unit) >= 0.2) === want),
  );

  test("names the holdout and the unit's place in it", () => {
    const [decision] = assignerWith({}).explain("home", out, noAttributes);
    const bucket = placeOf("all", out);
    expect(decision).toMatchObject({ reason: "holdout", holdouts: [{ holdout: "all", bucket }] });
    expect(decision?.detail).toContain(`in holdout all, ${bucket.toFixed(6)}, is in [0, 0.2)`);
  });

  test("says the place also of a unit that is not held out, and nothing where no holdout covers the layer", () => {
    const [covered] = assignerWith({}).explain("home", inside, noAttributes);
    expect(covered).toMatchObject({
      reason: "assigned",
      holdouts: [{ holdout: "all", bucket: placeOf("all", inside) }],
    });
    const [free] = assignerWith({ layers: ["l2"] }).explain("home", inside, noAttributes);
    expect(free?.holdouts).toBeUndefined();
  });
});

test("an override goes before a holdout", () => {
  expect(assignerWith({ share: 1 }).assign("home", "qa", noAttributes)).toMatchObject([
    { experiment: "c", overridden: true },
  ]);
});

test("where the holdout's unit is missing nobody can tell who is held out, and nobody enters", () => {
  const assigner = assignerWith({ unit: "session" });
  expect(assigner.assign("home", "u1", noAttributes)).toEqual([]);
  const [decision] = assigner.explain("home", "u1", noAttributes);
  expect(decision).toMatchObject({
    reason: "unit-missing",
    holdouts: [{ holdout: "all", bucket: undefined }],
  });
  expect(decision?.detail).toContain("holdout all: it splits by session");
});
