import { describe, expect, test } from "vitest";
import { compileAssigner } from "../../src/experiments/experiments.ts";
import { arm, experimentWith, noAttributes } from "../support/experiments.ts";

describe("a running experiment", () => {
  test("gives every unit of its surface an arm, with its layer, phase and propensity", () => {
    const arms = [arm("control"), arm("treated", { weight: 3 })];
    const [got] = compileAssigner([experimentWith({ arms })]).assign("home", "u1", noAttributes);
    expect(got).toEqual({
      experiment: "exp",
      arm: expect.stringMatching(/^(control|treated)$/),
      layer: "ranker",
      phase: 1,
      unit: "u1",
      propensity: got?.arm === "treated" ? 0.75 : 0.25,
      overridden: false,
    });
  });

  test("leaves other surfaces alone", () => {
    expect(compileAssigner([experimentWith()]).assign("radio", "u1", noAttributes)).toEqual([]);
  });

  test("names its arm's model", () => {
    const experiment = experimentWith({ overrides: { u1: "treated" } });
    const assigner = compileAssigner([experiment]);
    const [got] = assigner.assign("home", "u1", noAttributes);
    expect(got && assigner.armOf(got).model).toEqual({ name: "home-treated" });
  });
});

test.each(["draft", "paused", "stopped"] as const)("a %s experiment assigns nobody and says so", (status) => {
  const assigner = compileAssigner([experimentWith({ status, overrides: { u1: "treated" } })]);
  expect(assigner.assign("home", "u1", noAttributes)).toEqual([]);
  expect(assigner.explain("home", "u1", noAttributes)).toMatchObject([{ reason: "status", arm: undefined }]);
});

describe("an interleaving", () => {
  const assigner = compileAssigner([
    experimentWith({ kind: "interleave", overrides: { qa: "treated" }, targeting: "user.a == 1" }),
  ]);
  const targeted = { user: { a: 1 }, context: {} };

  test("gives every unit that it targets both arms, and says so", () => {
    for (const unit of ["u1", "u2", "u3"]) {
      const assignment = {
        experiment: "exp",
        arm: "interleaved",
        layer: "ranker",
        phase: 1,
        unit,
        propensity: 1,
        overridden: false,
      };
      expect(assigner.assign("home", unit, targeted)).toEqual([assignment]);
      expect(assigner.experimentOf(assignment).arms.map(({ id }) => id)).toEqual(["control", "treated"]);
      expect(assigner.explain("home", unit, targeted)).toMatchObject([
        {
          reason: "assigned",
          arm: "interleaved",
          detail: "the lists of control and treated are drafted into one",
        },
      ]);
    }
    expect(assigner.assign("home", "u1", noAttributes)).toEqual([]);
  });

  test("gives a unit that is forced into an arm that arm alone", () => {
    const [got] = assigner.assign("home", "qa", noAttributes);
    expect(got).toMatchObject({ arm: "treated", overridden: true });
    expect(got && assigner.armOf(got).model).toEqual({ name: "home-treated" });
  });
});

describe("an override", () => {
  const forced = experimentWith({
    traffic: 0.000001,
    targeting: "user.country == 'DE'",
    overrides: { qa: "treated" },
  });

  test("goes before layer and targeting, and is marked", () => {
    const [got] = compileAssigner([forced]).assign("home", "qa", noAttributes);
    expect(got).toMatchObject({ arm: "treated", overridden: true });
  });

  test("keeps the unit out of every other experiment of the layer, on any surface", () => {
    const mate = experimentWith({ id: "mate", surface: "radio", traffic: 0.9 }, [forced]);
    const assigner = compileAssigner([forced, mate]);
    expect(assigner.assign("radio", "qa", noAttributes)).toEqual([]);
    const [, decision] = assigner.explain(undefined, "qa", noAttributes);
    expect(decision).toMatchObject({ experiment: "mate", reason: "layer-range" });
    expect(decision?.detail).toContain("forces the unit into exp");
  });

  test("of two experiments of a layer goes to the first in the order of ids", () => {
    const other = experimentWith({ id: "aaa", traffic: 0.5, overrides: { qa: "control" } }, [forced]);
    const got = compileAssigner([forced, other]).assign("home", "qa", noAttributes);
    expect(got).toMatchObject([{ experiment: "aaa", arm: "control" }]);
  });
});

describe("an explanation", () => {
  const experiments = [
    experimentWith({ id: "a", layer: "l1" }),
    experimentWith({ id: "b", layer: "l2", surface: "radio" }),
    experimentWith({ id: "c", layer: "l3", traffic: 0 }),
    experimentWith({ id: "d", layer: "l4", targeting: "user.country == 'DE'" }),
  ];
  const assigner = compileAssigner(experiments);

  test("names the first gate that said no for every experiment, in the order of their ids", () => {
    const reasons = assigner.explain("home", "u1", noAttributes).map(({ reason }) => reason);
    expect(reasons).toEqual(["assigned", "surface", "traffic", "targeting-attribute-missing"]);
  });

  test("without a surface asks every surface's", () => {
    const germany = { user: { country: "DE" }, context: {} };
    const reasons = assigner.explain(undefined, "u1", germany).map(({ reason }) => reason);
    expect(reasons).toEqual(["assigned", "assigned", "traffic", "assigned"]);
  });

  test("holds both places as they are published", () => {
    const [decision] = compileAssigner([experimentWith({ id: "home-kd", layer: "home-ranker" })]).explain(
      "home",
      "u42",
      noAttributes,
    );
    expect(decision?.layerBucket?.toFixed(10)).toBe("0.5519972530");
    expect(decision?.armBucket?.toFixed(10)).toBe("0.2039946250");
    expect(decision?.arm).toBe("control");
  });
});

test("assignments come in the order of the experiments' ids, whatever the order of the documents", () => {
  const experiments = ["c", "a", "b"].map((id) => experimentWith({ id, layer: `layer-${id}` }));
  const got = compileAssigner(experiments).assign("home", "u1", noAttributes);
  expect(got.map(({ experiment }) => experiment)).toEqual(["a", "b", "c"]);
});

test("experiments that hold the same part of a layer are refused, with both ids", () => {
  const overlapping = [experimentWith({ id: "a" }), experimentWith({ id: "b" })];
  expect(() => compileAssigner(overlapping)).toThrow(/a and b both hold 0 of layer ranker/);
});

test("two experiments of one id are refused", () => {
  const twins = [experimentWith({ layer: "a" }), experimentWith({ layer: "b" })];
  expect(() => compileAssigner(twins)).toThrow('id: two experiments are called "exp"');
});

test("one experiment decides alone what it decides among the others, and an unknown one nothing", () => {
  const experiments = [
    experimentWith({ id: "a", targeting: "user.country == 'DE'" }),
    experimentWith({ id: "b", layer: "other", status: "paused" }),
    experimentWith({ id: "c", layer: "third", surface: "radio", overrides: { u3: "treated" } }),
  ];
  const assigner = compileAssigner(experiments.toReversed());
  expect(assigner.experiments).toEqual(experiments);
  for (const unit of ["u1", "u2", "u3"]) {
    const alone = experiments.map(({ id }) => assigner.decide(id, unit, noAttributes)?.decision);
    expect(alone).toEqual(assigner.explain(undefined, unit, noAttributes));
  }
  expect(assigner.decide("d", "u1", noAttributes)).toBeUndefined();
});
